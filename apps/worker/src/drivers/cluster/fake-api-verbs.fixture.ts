import { matchesFields, matchesLabels } from "./fake-selectors.fixture.ts";
import { type FakeStore, StatusError, type Stored } from "./fake-store.fixture.ts";
import { validateManifest } from "./validate-manifest.fixture.ts";

type Resource = { apiVersion: string; kind: string; plural: string; namespaced: boolean };

export const resources: Resource[] = [
  { apiVersion: "v1", kind: "Node", plural: "nodes", namespaced: false },
  { apiVersion: "v1", kind: "Pod", plural: "pods", namespaced: true },
  { apiVersion: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true },
  { apiVersion: "v1", kind: "Service", plural: "services", namespaced: true },
  { apiVersion: "batch/v1", kind: "Job", plural: "jobs", namespaced: true },
  { apiVersion: "apps/v1", kind: "Deployment", plural: "deployments", namespaced: true },
  { apiVersion: "leaderworkerset.x-k8s.io/v1", kind: "LeaderWorkerSet", plural: "leaderworkersets", namespaced: true },
];

/** Fields of a spec that cannot be changed. */
const immutable: Record<string, string[]> = {
  Job: ["template", "completions", "completionMode", "selector"],
  Deployment: ["selector"],
  Service: ["clusterIP"],
  Pod: ["containers", "nodeName", "affinity"],
};

export type Target = {
  resource: Resource;
  namespace: string | undefined;
  name: string | undefined;
  query: URLSearchParams;
};

/** What the API server does with objects, whichever way it was asked. */
export function createFakeVerbs(store: FakeStore, namespaces: readonly string[]) {
  function find({ resource, namespace, name = "" }: Target): Stored {
    const object = store.get(resource.kind, namespace, name);
    if (!object) throw new StatusError(404, "NotFound", `${resource.plural} "${name}" not found`);
    return object;
  }

  function select({ resource, namespace, query }: Target): Stored[] {
    return store.list(resource.kind, namespace).filter((object) => isSelected(object, query));
  }

  function list(target: Target): unknown {
    const { resource, query } = target;
    const items = select(target).sort((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
    const limit = Number(query.get("limit") ?? 0) || items.length;
    const [since, from] = (query.get("continue") ?? `${store.version()}:0`).split(":").map(Number) as [number, number];
    if (store.eventsSince(since) === null && from > 0) {
      throw new StatusError(
        410,
        "Expired",
        "The provided continue parameter is too old to display a consistent list result.",
      );
    }
    const page = items.slice(from, from + limit);
    const rest = items.length - from - page.length;
    return {
      kind: `${resource.kind}List`,
      apiVersion: resource.apiVersion,
      metadata: {
        resourceVersion: String(store.version()),
        ...(rest > 0 ? { continue: `${since}:${from + page.length}`, remainingItemCount: rest } : {}),
      },
      // Items of a list do not say what they are.
      items: page.map(({ kind: _, apiVersion: __, ...item }) => item),
    };
  }

  function create({ resource, namespace }: Target, given: Record<string, unknown>): Stored {
    if (resource.namespaced && !namespaces.includes(namespace ?? "")) {
      throw new StatusError(404, "NotFound", `namespaces "${namespace}" not found`);
    }
    requireValid(resource, given);
    const object = given as unknown as Stored;
    return store.create({
      ...object,
      metadata: { ...object.metadata, ...(namespace === undefined ? {} : { namespace }) },
    });
  }

  function replace(target: Target, given: Record<string, unknown>): Stored {
    const before = find(target);
    const next = given as unknown as Stored;
    requireValid(target.resource, given);
    requireUnchanged(before, next);
    requireSameFields(before, next);
    // Status has an endpoint of its own; what the server keeps is not taken from the client.
    const { uid, namespace, creationTimestamp, generation, deletionTimestamp } = before.metadata;
    store.update({
      ...next,
      metadata: { ...next.metadata, uid, namespace, creationTimestamp, generation, deletionTimestamp },
      ...(before.status ? { status: before.status } : {}),
    });
    return find(target);
  }

  function patch(target: Target, given: Record<string, unknown>, contentType: string): Stored {
    if (contentType.startsWith("application/apply-patch+yaml")) {
      if (!target.query.get("fieldManager")) {
        throw new StatusError(422, "Invalid", 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value');
      }
      if (!store.get(target.resource.kind, target.namespace, target.name ?? "")) return create(target, given);
    } else if (!contentType.startsWith("application/merge-patch+json")) {
      throw new StatusError(415, "UnsupportedMediaType", `this fake does not take ${contentType}`);
    }
    const before = find(target);
    const next = merge(before, given) as Stored;
    requireValid(target.resource, next);
    requireUnchanged(before, { ...next, metadata: { ...next.metadata, ...(given["metadata"] as object | undefined) } });
    requireSameFields(before, next);
    store.update({ ...next, metadata: { ...next.metadata, uid: before.metadata.uid } });
    return find(target);
  }

  return { find, list, create, replace, patch };
}

function requireValid(resource: Resource, object: Record<string, unknown> | Stored): void {
  const { kind, apiVersion } = object as { kind?: string; apiVersion?: string };
  if (kind !== resource.kind || apiVersion !== resource.apiVersion) {
    throw new StatusError(
      400,
      "BadRequest",
      `the object is a ${apiVersion} ${kind}, and the address is that of ${resource.plural}`,
    );
  }
  const problems = validateManifest(object);
  if (problems.length > 0) throw new StatusError(422, "Invalid", `${kind} is invalid: ${problems.join("; ")}`);
}

/** Optimistic locking: whoever says what version it read must have read the newest. */
function requireUnchanged(before: Stored, next: Stored): void {
  const { resourceVersion, uid } = next.metadata;
  const isOther = uid !== undefined && uid !== before.metadata.uid;
  if (isOther || (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion)) {
    throw new StatusError(
      409,
      "Conflict",
      `Operation cannot be fulfilled on "${before.metadata.name}": the object has been modified; please apply your changes to the latest version and try again`,
    );
  }
}

function requireSameFields(before: Stored, next: Stored): void {
  const [was, is] = [before.spec, next.spec].map((spec) => (spec ?? {}) as Record<string, unknown>);
  const changed = immutable[before.kind]?.find((field) => JSON.stringify(was?.[field]) !== JSON.stringify(is?.[field]));
  if (changed)
    throw new StatusError(
      422,
      "Invalid",
      `${before.kind} is invalid: spec.${changed}: Invalid value: field is immutable`,
    );
}

export function isSelected(object: Stored, query: URLSearchParams): boolean {
  return (
    matchesLabels(object, query.get("labelSelector") ?? "") && matchesFields(object, query.get("fieldSelector") ?? "")
  );
}

/** RFC 7386. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> =
    typeof target === "object" && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}
