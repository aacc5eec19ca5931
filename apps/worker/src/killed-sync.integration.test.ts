import { randomUUID } from "node:crypto";
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { workspaceMembers } from "@anneal/core/access/acl";
import { defaultLimits } from "@anneal/connectors/connector";
import { inWorkspace, openDatabase, type DatabaseHandle, type Scope } from "@anneal/db/database";
import { saveWorkspace } from "@anneal/db/queries/access";
import { getSource, saveSource } from "@anneal/db/queries/sources";
import { beginSync, endSync, listSyncFailures, listSyncs } from "@anneal/db/queries/source-syncs";
import { documents } from "@anneal/db/schema";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { openFolderStore } from "@anneal/objects/folder-store";
import { afterAll, beforeAll, expect, it } from "vitest";
import { applyChanges } from "./activities/apply-changes.ts";

// A real database, folder and object store, and connections that break for good at one write.

let test: TestDatabase;
let database: DatabaseHandle;
beforeAll(async () => {
  test = await startTestDatabase();
  database = openDatabase(test.appUrl);
});
afterAll(async () => {
  await database?.close();
  await test?.stop();
});

type Place = { scope: Scope; sourceId: string; folder: string; syncId: string };

/** A folder that was read once, and of which everything that can change has changed since. */
async function changedFolder(): Promise<Place> {
  const { id: workspaceId } = await saveWorkspace(test.db, { slug: randomUUID(), name: "Test" });
  const sourceId = randomUUID();
  const folder = join(test.dir, sourceId);
  const place = { scope: { db: test.db, workspaceId }, sourceId, folder, syncId: randomUUID() };
  await mkdir(folder);
  const write = (name: string, text: string) => writeFile(join(folder, name), text, { mode: 0o644 });
  for (const name of ["as-it-was.md", "changed.md", "gone.md", "here.md", "opened.md", "shut.md"])
    await write(name, `This is ${name}.`);
  await chmod(join(folder, "opened.md"), 0o600);
  await saveSource(place.scope, {
    id: sourceId,
    name: "Folder",
    kind: "file",
    config: { path: folder, permissions: "posix", userEmailDomain: "example.com" },
    sealedSecrets: null,
    defaultAcl: { allow: [workspaceMembers(workspaceId)], deny: [] },
    schedule: null,
  });
  await read({ ...place, syncId: randomUUID() }, database);
  await write("changed.md", "This is changed.md, and it has changed.");
  await rm(join(folder, "gone.md"));
  await rename(join(folder, "here.md"), join(folder, "there.md"));
  await chmod(join(folder, "opened.md"), 0o644);
  await chmod(join(folder, "shut.md"), 0o600);
  await write("new.md", "This is new.md.");
  return place;
}

/** One attempt of a sync, as the activity makes it; others with its id go on with it. */
async function read({ scope, sourceId, syncId }: Place, { db }: DatabaseHandle): Promise<void> {
  const within = { ...scope, db };
  const counts = await beginSync(within, { id: syncId, sourceId, runId: null, startedBy: "ada" });
  const sync = { id: syncId, sourceId, counts, failures: await listSyncFailures(within, syncId) };
  const source = await getSource(within, sourceId);
  const end = await applyChanges({
    scope: within,
    objects: openFolderStore(join(test.dir, `objects-${sourceId}`)),
    source,
    secrets: {},
    sync,
    context: {
      signal: new AbortController().signal,
      tempDir: await mkdtemp(join(test.dir, "temp-")),
      limits: defaultLimits,
      deletions: { maxShare: 1, confirmed: false },
      chromiumPath: null,
      ownFolders: [],
      python: null,
    },
    documentTimeoutMs: 60_000,
    idleWaits: 0,
    sleptMs: () => 0,
    progress: { report: async () => undefined },
  });
  await endSync(within, { ...sync, revision: source.revision }, end);
}

/** All that a sync leaves behind, with names that two of them share. */
async function leftBy({ scope, sourceId }: Place) {
  const rows = await inWorkspace(scope, (tx) => tx.select().from(documents));
  const held = rows.map((row) => ({
    ref: row.ref,
    isDeleted: row.deletedAt !== null,
    contentHash: row.contentHash,
    readers: row.acl,
    origins: row.aclOrigins,
    isInherited: row.aclInherited,
    status: row.status,
    drop: row.drop,
  }));
  const { cursor, lastSyncError } = await getSource(scope, sourceId);
  const { rows: syncs } = await listSyncs(scope, sourceId, { limit: 10, offset: 0 });
  const { status, scanned, error } = syncs[0]!;
  const left = {
    held: held.toSorted((a, b) => a.ref.localeCompare(b.ref)),
    cursor,
    lastSyncError,
    syncs: syncs.length,
    last: { status, scanned, error },
  };
  const text = JSON.stringify(left).replaceAll(sourceId, "source").replaceAll(scope.workspaceId, "workspace");
  return JSON.parse(text) as typeof left;
}

/** Whether the write that breaks it is carried out, and only its answer is lost. */
type Break = "before" | "after";
const writes = /^\s*(?:insert|update|delete|with|commit)\b/iu;

/** A pool whose connections all break at the n-th write, with no others to be had. */
function openBreaking(at: number, when: Break): DatabaseHandle & { hasBroken: () => boolean } {
  const handle = openDatabase(test.appUrl);
  const clients = new Set<object>();
  let written = 0;
  let broken = false;
  const breakAll = () => {
    broken = true;
    for (const client of clients) cut(client);
  };
  handle.pool.on("connect", (client) => {
    clients.add(client);
    client.on("error", () => undefined);
    if (broken) cut(client);
    const query = client.query.bind(client) as (...given: unknown[]) => unknown;
    const breaking = (...given: unknown[]) => {
      const [asked] = given as [string | { text: string }];
      const isIt = writes.test(typeof asked === "string" ? asked : asked.text) && (written += 1) === at;
      if (isIt && when === "before") breakAll();
      const answer = query(...given);
      if (!isIt || when === "before") return answer;
      return (answer as Promise<unknown>).then(() => {
        breakAll();
        throw new Error("The connection broke before the answer came.");
      });
    };
    Object.assign(client, { query: breaking });
  });
  return { ...handle, hasBroken: () => broken };
}

function cut(client: object): void {
  (client as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

it.each<Break>(["before", "after"])(
  "a sync whose connections break %s whichever write ends as one that nothing interrupted, once it goes on",
  async (when) => {
    const undisturbed = await changedFolder();
    await read(undisturbed, database);
    const expected = await leftBy(undisturbed);
    expect(expected.held.map(({ ref, isDeleted }) => (isDeleted ? `-${ref}` : ref))).toEqual([
      "as-it-was.md",
      "changed.md",
      "-gone.md",
      "new.md",
      "opened.md",
      "shut.md",
      "there.md",
    ]);
    expect(expected.last).toEqual({ status: "done", scanned: 6, error: null });
    const readersOf = (name: string) => expected.held.find(({ ref }) => ref === name)?.readers;
    expect(readersOf("shut.md")).not.toEqual(readersOf("as-it-was.md"));
    expect(readersOf("opened.md")).toEqual(readersOf("as-it-was.md"));

    let at = 1;
    for (; ; at += 1) {
      const place = await changedFolder();
      const breaking = openBreaking(at, when);
      const failure = await read(place, breaking).then(
        () => null,
        (error: unknown) => error,
      );
      // Of one that has broken nothing is left to close, which its pool would wait for.
      if (!breaking.hasBroken()) {
        await breaking.close();
        break;
      }
      if (failure !== null) await read(place, database);
      expect(await leftBy(place), `${when} write ${at}`).toEqual(expected);
    }
    // Every kind of change wrote and committed.
    expect(at).toBeGreaterThan(16);
  },
  300_000,
);
