import { randomUUID } from "node:crypto";
import pg from "pg";
import { z } from "zod";
import type { TeachingDocument } from "@anneal/core/dataset/dataset-acl";
import type { Database } from "@anneal/db/database";
import { listGrantedResources } from "@anneal/db/queries/access";
import { listAssistants, type Assistant } from "@anneal/db/queries/chat";
import { listTeachingDocuments } from "@anneal/db/queries/dataset";
import { listCurrentAliases } from "@anneal/db/queries/deploy";
import { listAdapterVersions } from "@anneal/db/queries/register";
import { beatGateway, listReplicas, readAliasEpoch, type Replica } from "@anneal/db/queries/serving";
import type { Identity } from "#server/auth/identity.ts";
import { log } from "#server/log.ts";

/** What a workspace's model names mean now. */
export type Routes = {
  /** "support@production" -> the immutable serving name. */
  aliases: ReadonlyMap<string, string>;
  /** The same alias -> the dataset that what it points at was trained on; none when nobody knows it. */
  datasets: ReadonlyMap<string, string>;
  assistants: readonly Assistant[];
};

export type RoutingTable = {
  routesOf(workspaceId: string): Promise<Routes>;
  resourcesOf(identity: Identity): Promise<ReadonlySet<string>>;
  /** The documents behind a dataset, as their permissions are now. */
  teachersOf(workspaceId: string, datasetVersionId: string): Promise<readonly TeachingDocument[]>;
  replicas(): Promise<readonly Replica[]>;
  /** Counts a request on a serving name until the returned function is called. */
  begin(servingName: string): () => void;
};

const beatEveryMs = 10_000;
const retireEveryMs = 50;
const retryMs = 1_000;
const aliasPayload = z.object({ workspaceId: z.string(), epoch: z.number() });
/** A source's audience reaches its documents' rows in the transaction that changes it; the source stands here for all. */
const teachingTables: ReadonlySet<string> = new Set(["documents", "sources", "dataset_versions"]);
const permissionTables: ReadonlySet<string> = new Set([
  "model_grants",
  "memberships",
  "directory_users",
  "directory_members",
]);
const changePayload = z.object({ table: z.string(), workspaceId: z.string().nullable() });

/**
 * The gateway's view of aliases, permissions and replicas, kept in memory and dropped whenever PostgreSQL announces a
 * change: a request costs no query. Each process tells the database which alias epoch it routes by and what it has in
 * flight, which is how a deployment knows that an old version is drained.
 */
export function createRoutingTable(options: { db: Database; databaseUrl: string }): RoutingTable {
  const { db, databaseUrl } = options;
  const id = randomUUID();
  const inFlight = new Map<string, number>();
  const routes = new Map<string, Promise<Routes>>();
  const resources = new Map<string, Promise<ReadonlySet<string>>>();
  const teachers = new Map<string, Map<string, Promise<readonly TeachingDocument[]>>>();
  let replicaList: Promise<readonly Replica[]> | undefined;
  let epoch = 0;
  let beating: Promise<void> = Promise.resolve();
  let retiring: NodeJS.Timeout | undefined;
  let listening = false;

  function beat(): Promise<void> {
    beating = beating
      .then(() => beatGateway(db, { id, epoch, inFlight: Object.fromEntries(inFlight) }))
      .catch((error: unknown) =>
        log.warn({ err: String(error) }, "the gateway could not report what it has in flight"),
      );
    return beating;
  }

  /** After a flip the deployment waits for us: report often until what was in flight then has ended. */
  function reportUntilDrained(names: string[]): void {
    clearTimeout(retiring);
    void beat().then(() => {
      const left = names.filter((name) => inFlight.has(name));
      if (left.length > 0) retiring = setTimeout(() => reportUntilDrained(left), retireEveryMs);
    });
  }

  function forgetAll(): void {
    routes.clear();
    resources.clear();
    teachers.clear();
    replicaList = undefined;
  }

  function onNotification(channel: string, payload: string): void {
    if (channel === "anneal_aliases") {
      const flip = aliasPayload.parse(JSON.parse(payload));
      routes.delete(flip.workspaceId);
      epoch = Math.max(epoch, flip.epoch);
      reportUntilDrained([...inFlight.keys()]);
      return;
    }
    const change = changePayload.parse(JSON.parse(payload));
    if (change.table === "assistants" && change.workspaceId !== null) routes.delete(change.workspaceId);
    if (permissionTables.has(change.table)) resources.clear();
    if (teachingTables.has(change.table)) {
      if (change.workspaceId === null) teachers.clear();
      else teachers.delete(change.workspaceId);
    }
    if (change.table === "replicas") replicaList = undefined;
  }

  async function listen(): Promise<void> {
    const client = new pg.Client({
      connectionString: databaseUrl,
      keepAlive: true,
      application_name: "anneal-gateway",
    });
    client.on("notification", ({ channel, payload }) => onNotification(channel, payload ?? "null"));
    client.on("error", (error) => log.warn({ err: error.message }, "the gateway lost its connection to the database"));
    client.on("end", () => {
      // What is announced meanwhile is missed: nothing that is remembered can be trusted.
      listening = false;
      forgetAll();
      setTimeout(() => void listen().catch(() => undefined), retryMs).unref();
    });
    await client.connect();
    await client.query("LISTEN anneal_aliases; LISTEN anneal_changes");
    forgetAll();
    epoch = await readAliasEpoch(db);
    listening = true;
    await beat();
  }
  listen().catch((error: unknown) => log.warn({ err: String(error) }, "the gateway cannot listen for changes yet"));
  setInterval(() => void beat(), beatEveryMs).unref();

  /** Remembered only while changes are heard; a load that a change overtook is not kept. */
  async function remember<T>(cache: Map<string, Promise<T>>, key: string, load: () => Promise<T>): Promise<T> {
    for (;;) {
      const known = cache.get(key);
      if (known) return known;
      const loading = load();
      if (!listening) return loading;
      cache.set(key, loading);
      try {
        const value = await loading;
        if (cache.get(key) === loading) return value;
      } catch (error) {
        if (cache.get(key) === loading) cache.delete(key);
        throw error;
      }
    }
  }

  return {
    routesOf: (workspaceId) =>
      remember(routes, workspaceId, async () => {
        const scope = { db, workspaceId };
        const [aliases, versions, assistants] = await Promise.all([
          listCurrentAliases(scope),
          listAdapterVersions(scope),
          listAssistants(scope),
        ]);
        const madeAt = new Map(versions.map(({ version }) => [version.id, version.createdAt]));
        const nameOf = (entry: (typeof aliases)[number]) => `${entry.adapterName}@${entry.alias}`;
        return {
          aliases: new Map(aliases.map((entry) => [nameOf(entry), entry.servingName])),
          datasets: new Map(
            aliases.flatMap((entry) =>
              entry.datasetVersionId === null ? [] : [[nameOf(entry), entry.datasetVersionId] as const],
            ),
          ),
          madeAt: new Map(aliases.map((entry) => [entry.servingName, madeAt.get(entry.adapterVersionId) ?? entry.at])),
          assistants,
        };
      }),
    resourcesOf: (identity) =>
      remember(resources, `${identity.workspaceId}:${identity.userId}`, async () => {
        const scope = { db, workspaceId: identity.workspaceId };
        return new Set(await listGrantedResources(scope, [...identity.principalKeys]));
      }),
    async teachersOf(workspaceId, datasetVersionId) {
      const ofWorkspace = teachers.get(workspaceId) ?? new Map<string, Promise<readonly TeachingDocument[]>>();
      const known = ofWorkspace.get(datasetVersionId);
      if (known) return known;
      const loading = listTeachingDocuments({ db, workspaceId }, [datasetVersionId]).then(
        (documents) => documents.get(datasetVersionId) ?? [],
      );
      // Not loaded again when a change overtakes it, as an import of thousands of documents would for ever: whoever asks
      // after that change finds nothing remembered.
      if (listening) {
        teachers.set(workspaceId, ofWorkspace.set(datasetVersionId, loading));
        loading.catch(() => ofWorkspace.delete(datasetVersionId));
      }
      return loading;
    },
    async replicas() {
      if (!listening) return listReplicas(db);
      const loading = (replicaList ??= listReplicas(db));
      loading.catch(() => (replicaList = undefined));
      return loading;
    },
    begin(servingName) {
      inFlight.set(servingName, (inFlight.get(servingName) ?? 0) + 1);
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        const left = (inFlight.get(servingName) ?? 1) - 1;
        if (left === 0) inFlight.delete(servingName);
        else inFlight.set(servingName, left);
      };
    },
  };
}
