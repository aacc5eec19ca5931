import type { V1Deployment, V1Job, V1Node, V1ObjectMeta, V1Pod } from "@kubernetes/client-node";
import type { LeaderWorkerSet } from "./leader-worker-set.ts";

/** As it goes over the wire: times are texts. */
type Json<T> = T extends Date
  ? string
  : T extends (infer Item)[]
    ? Json<Item>[]
    : T extends object
      ? { [Key in keyof T]: Json<T[Key]> }
      : T;

export type Metadata = Json<V1ObjectMeta> & { name: string; uid: string; resourceVersion: string };
export type Stored = {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
  spec?: unknown;
  status?: unknown;
  data?: unknown;
};
export type Pod = Stored & Pick<Json<V1Pod>, "spec" | "status">;
export type Node = Stored & Pick<Json<V1Node>, "spec" | "status">;
export type Job = Stored & Pick<Json<V1Job>, "spec" | "status">;
export type Deployment = Stored & Pick<Json<V1Deployment>, "spec" | "status">;
export type LeaderWorkers = Stored & Pick<Json<LeaderWorkerSet>, "spec">;

export type StoreEvent = { version: number; type: "ADDED" | "MODIFIED" | "DELETED"; object: Stored };

/** An answer with a Status object (kubernetes.io/docs/reference/kubernetes-api/common-definitions/status). */
export class StatusError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly headers: Record<string, string>;

  constructor(code: number, reason: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.headers = headers;
  }
}

export type FakeStore = ReturnType<typeof createFakeStore>;

/** What etcd and the API server keep: objects with versions, and the events of all changes since the last compaction. */
export function createFakeStore() {
  const objects = new Map<string, Stored>();
  const listeners = new Set<(event: StoreEvent) => void>();
  let events: StoreEvent[] = [];
  let version = 1000;
  let compacted = version;
  let serial = 0;

  const keyOf = (kind: string, namespace: string | undefined, name: string) => `${kind}/${namespace ?? ""}/${name}`;
  const clone = <T>(value: T): T => structuredClone(value);

  function emit(type: StoreEvent["type"], object: Stored): void {
    const event = { version, type, object: clone(object) };
    events.push(event);
    for (const listener of listeners) listener(event);
  }

  const store = {
    version: () => version,
    create<T extends Stored>(input: Omit<Stored, "metadata"> & { metadata: Partial<Metadata> }): T {
      const { name = "", namespace } = input.metadata;
      const key = keyOf(input.kind, namespace, name);
      const existing = objects.get(key);
      if (existing) {
        const going = existing.metadata.deletionTimestamp ? "object is being deleted: " : "";
        throw new StatusError(409, "AlreadyExists", `${going}${input.kind} "${name}" already exists`);
      }
      version += 1;
      serial += 1;
      const object = {
        ...clone(input),
        metadata: {
          ...clone(input.metadata),
          name,
          uid: `00000000-0000-4000-8000-${String(serial).padStart(12, "0")}`,
          resourceVersion: String(version),
          generation: 1,
          creationTimestamp: new Date().toISOString(),
        },
      } as Stored;
      objects.set(key, object);
      emit("ADDED", object);
      return clone(object) as T;
    },
    get<T extends Stored>(kind: string, namespace: string | undefined, name: string): T | null {
      const object = objects.get(keyOf(kind, namespace, name));
      return object ? (clone(object) as T) : null;
    },
    list<T extends Stored>(kind: string, namespace?: string): T[] {
      return [...objects.values()]
        .filter(
          (object) => object.kind === kind && (namespace === undefined || object.metadata.namespace === namespace),
        )
        .map((object) => clone(object) as T);
    },
    all: (): Stored[] => [...objects.values()].map(clone),
    /** Nothing happens when nothing changes, so that controllers come to rest. */
    update(input: Stored): void {
      const key = keyOf(input.kind, input.metadata.namespace, input.metadata.name);
      const before = objects.get(key);
      if (!before || before.metadata.uid !== input.metadata.uid) return;
      const { resourceVersion: _, ...metadata } = input.metadata;
      const { resourceVersion: __, ...metadataBefore } = before.metadata;
      if (sameJson({ ...input, metadata }, { ...before, metadata: metadataBefore })) return;
      version += 1;
      const object = clone(input);
      object.metadata.resourceVersion = String(version);
      if (!sameJson(object.spec, before.spec)) object.metadata.generation = (before.metadata.generation ?? 1) + 1;
      objects.set(key, object);
      emit("MODIFIED", object);
    },
    remove(object: Stored): void {
      const key = keyOf(object.kind, object.metadata.namespace, object.metadata.name);
      const existing = objects.get(key);
      if (!existing || existing.metadata.uid !== object.metadata.uid) return;
      objects.delete(key);
      version += 1;
      existing.metadata.resourceVersion = String(version);
      emit("DELETED", existing);
    },
    /** @returns null when they are not kept any more */
    eventsSince: (since: number): StoreEvent[] | null =>
      since < compacted ? null : events.filter((event) => event.version > since),
    compact(): void {
      compacted = version;
      events = [];
    },
    listen(listener: (event: StoreEvent) => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    /**
     * What DELETE does: pods get their grace, others go at once, after what they own (Foreground), or when their
     * finalizers are gone.
     */
    requestDeletion(object: Stored, options: { graceSeconds?: number; propagation?: string } = {}): void {
      const current = store.get(object.kind, object.metadata.namespace, object.metadata.name);
      if (!current) return;
      const { metadata } = current;
      if (current.kind === "Pod") {
        const { spec } = current as Pod;
        const grace = options.graceSeconds ?? spec?.terminationGracePeriodSeconds ?? 30;
        if (spec?.nodeName === undefined || grace === 0) {
          if ((metadata.finalizers ?? []).length === 0) return store.remove(current);
        }
        // A second request can shorten the grace, never prolong it.
        if (metadata.deletionTimestamp && grace >= (metadata.deletionGracePeriodSeconds ?? 0)) return;
        metadata.deletionTimestamp = new Date(Date.now() + grace * 1000).toISOString();
        metadata.deletionGracePeriodSeconds = grace;
        return store.update(current);
      }
      if (options.propagation === "Orphan") {
        for (const dependent of store.all()) {
          const references = dependent.metadata.ownerReferences?.filter(({ uid }) => uid !== metadata.uid);
          if (references)
            store.update({ ...dependent, metadata: { ...dependent.metadata, ownerReferences: references } });
        }
      }
      if (options.propagation === "Foreground" && !metadata.finalizers?.includes("foregroundDeletion")) {
        metadata.finalizers = [...(metadata.finalizers ?? []), "foregroundDeletion"];
      }
      if ((metadata.finalizers ?? []).length === 0) return store.remove(current);
      metadata.deletionTimestamp ??= new Date().toISOString();
      store.update(current);
    },
  };
  return store;
}

function sameJson(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
