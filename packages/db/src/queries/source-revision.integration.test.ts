import { randomUUID } from "node:crypto";
import { nobody, workspaceMembers, type Acl } from "@anneal/core/access/acl";
import type { SourceItem } from "@anneal/core/connect/change";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addSource, addWorkspace } from "../../testing/source-fixture.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import type { Scope } from "../database.ts";
import { deleteSource, getSource, restoreSource } from "./sources.ts";
import {
  markDocumentDeleted,
  moveDocument,
  quarantineRef,
  saveDocumentAcl,
  upsertDocument,
} from "./synced-documents.ts";
import { recordDirectoryRead, replaceDirectory } from "./directory.ts";
import { listDocuments } from "./documents.ts";
import { retryFailures } from "./retry-failures.ts";
import { streamJournal } from "./source-journal.ts";
import { beginSync, endSync, isAtFirstRevision, saveCursor } from "./source-syncs.ts";
import { upsertDocuments } from "./upsert-documents.ts";

// What a reading may still write of a source that is changed meanwhile.

let test: TestDatabase;
let scope: Scope;
let sourceId: string;
let everybody: Acl;

beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());
beforeEach(async () => {
  scope = await addWorkspace(test.db);
  everybody = { allow: [workspaceMembers(scope.workspaceId)], deny: [] };
  sourceId = randomUUID();
  await save({});
});

const save = (change: Parameters<typeof addSource>[1]) =>
  addSource(scope, { id: sourceId, config: { path: "/srv/payroll" }, ...change });
const itemOf = (ref: string, acl: Acl | null = null): SourceItem => {
  return { ref, uri: ref, title: null, mediaType: null, sizeBytes: 1, modifiedAt: null, fingerprint: "1", acl };
};
const contentOf = (ref: string) => ({ contentHash: ref, contentKey: ref, sizeBytes: 1 });
const put = (ref: string, acl: Acl | null = null) => upsertDocument(scope, sourceId, itemOf(ref, acl), contentOf(ref));
const stored = async () => {
  const { rows } = await listDocuments(scope, { sourceId }, { limit: 10, offset: 0 });
  return rows.map(({ ref, acl, status }) => ({ ref, acl, status })).toSorted((a, b) => (a.ref < b.ref ? -1 : 1));
};
const revision = async () => (await getSource(scope, sourceId)).revision;
const begin = async (of?: number) => {
  const id = randomUUID();
  const counts = await beginSync(scope, { id, sourceId, runId: null, startedBy: "ada", revision: of });
  return { id, sourceId, counts };
};
async function* told(...entries: DirectoryEntry[]) {
  yield* entries;
}
const account = (name: string): DirectoryEntry => {
  const principal = { source: "file", tenant: sourceId, kind: "user" as const, id: name };
  return { type: "user", principal, name, emails: [`${name}@example.com`] };
};

describe("a reading whose source was changed meanwhile", () => {
  type Write = (began: number, now: Awaited<ReturnType<typeof begin>>) => Promise<unknown>;
  const drop = { stage: "connect", code: "SOURCE_FORBIDDEN", reason: "It may not be read." };
  const writes: [what: string, write: Write][] = [
    [
      "a document",
      (began) => upsertDocuments(scope, sourceId, [{ item: itemOf("b"), content: contentOf("b") }], began),
    ],
    ["what could not be read", (began) => quarantineRef(scope, sourceId, "b", drop, null, began)],
    ["a deletion", (began) => markDocumentDeleted(scope, sourceId, "a", began)],
    [
      "a document's readers",
      (began) => saveDocumentAcl(scope, sourceId, { ref: "a", acl: everybody, fingerprint: "2" }, began),
    ],
    ["a move", (began) => moveDocument(scope, sourceId, "a", itemOf("b"), began)],
    [
      "its position",
      (began, sync) => {
        const journal = { anew: false, entries: [{ entry: "read" }] };
        return saveCursor(scope, sourceId, { version: 1, at: 9 }, { ...sync, revision: began }, journal);
      },
    ],
    ["people", (began) => replaceDirectory(scope, sourceId, told(account("ann")), began)],
    ["the end of a list of people", (began) => replaceDirectory(scope, sourceId, told(), began)],
  ];

  it.each(writes)("can no longer write %s, and says so", async (_, write) => {
    await put("a");
    const began = await revision();
    const sync = await begin(began);
    await save({ config: { path: "/srv/public" }, defaultAcl: everybody, isElsewhere: true });
    const before = await stored();
    await expect(write(began, sync)).rejects.toMatchObject({ code: "CONFLICT", retryable: true });
    expect(await stored()).toEqual(before);
    expect(await getSource(scope, sourceId)).toMatchObject({ cursor: null });
    for await (const { entry } of streamJournal(scope, sourceId)) expect.fail(`the journal has ${String(entry)}`);

    // Who began with what counts now may.
    expect(await write(await revision(), sync)).not.toBeInstanceOf(Error);
  });

  it("says nothing of the source when it ends, and nothing of its people", async () => {
    const began = await revision();
    const sync = { ...(await begin(began)), revision: began };
    await save({ config: { path: "/srv/public" }, isElsewhere: true });
    const error = { code: "SOURCE_FORBIDDEN" as const, message: "60 of 80 are gone.", action: "Confirm it." };
    await endSync(scope, sync, { status: "done", heldBack: error });
    await endSync(scope, sync, { status: "done", heldBack: null });
    await recordDirectoryRead(scope, sourceId, { tookMs: 1, error }, began);
    const untold = { lastSyncAt: null, lastSyncError: null, directoryReadAt: null, directoryError: null };
    expect(await getSource(scope, sourceId)).toMatchObject(untold);
    await endSync(scope, { ...sync, revision: await revision() }, { status: "done", heldBack: error });
    expect(await getSource(scope, sourceId)).toMatchObject({ lastSyncError: error });
  });

  it("leaves another attempt nothing that a person had confirmed before", async () => {
    const sync = await begin(await revision());
    expect(await isAtFirstRevision(scope, sync.id, await revision())).toBe(true);
    await save({ config: { path: "/srv/public" }, isElsewhere: true });
    const { id } = sync;
    await beginSync(scope, { id, sourceId, runId: null, startedBy: "ada", revision: await revision() });
    expect(await isAtFirstRevision(scope, id, await revision())).toBe(false);
  });
});

it("is ended by other settings, other credentials and another position, and by nothing else", async () => {
  const raisedBy = async (change: () => Promise<unknown>) => {
    const before = await revision();
    await change();
    return (await revision()) - before;
  };
  expect(await raisedBy(() => save({ name: "t", schedule: "0 3 * * *", defaultAcl: everybody }))).toBe(0);
  expect(await raisedBy(() => save({ sealedSecrets: undefined }))).toBe(0);
  expect(await raisedBy(() => save({ config: { path: "/srv/payroll", include: ["*.pdf"] } }))).toBe(1);
  expect(await raisedBy(() => save({ sealedSecrets: Buffer.from("new") }))).toBe(1);
  expect(await raisedBy(() => save({ sealedSecrets: Buffer.from("new") }))).toBe(0);
  expect(await raisedBy(() => retryFailures(scope, sourceId, null))).toBe(1);
  expect(await raisedBy(() => deleteSource(scope, sourceId).then(() => restoreSource(scope, sourceId)))).toBe(1);
});

it("hides what refuses somebody, and reads it again, where other settings say who people are", async () => {
  const ann = { source: "file", tenant: sourceId, kind: "user" as const, id: "ann" };
  await put("open", everybody);
  await put("refuses", { ...everybody, deny: [ann] });
  const sync = await begin();
  await saveCursor(scope, sourceId, { version: 1, at: 5 }, sync);
  const config = { path: "/srv/payroll", userEmailDomain: "example.com" };
  await save({ config, hasOtherPeople: true });
  expect(await stored()).toMatchObject([
    { ref: "open", acl: everybody },
    { ref: "refuses", acl: nobody },
  ]);
  expect(await getSource(scope, sourceId)).toMatchObject({ cursor: null });

  // Where nothing refuses anybody it goes on from where it was.
  await put("refuses", everybody);
  await saveCursor(scope, sourceId, { version: 1, at: 6 }, sync);
  await save({ config: { ...config, userEmailDomain: "example.org" }, hasOtherPeople: true });
  expect(await getSource(scope, sourceId)).toMatchObject({ cursor: { at: 6 } });
});
