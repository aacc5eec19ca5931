import { principalKey, type Principal } from "@anneal/core/access/acl";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import type { Scope } from "../database.ts";
import { saveWorkspace } from "./access.ts";
import { saveSource } from "./sources.ts";
import { saveDocumentAcl } from "./synced-documents.ts";
import { listHeldPrincipals, listMemberships, replaceDirectory } from "./directory.ts";
import { getDocument } from "./documents.ts";
import { upsertDocuments } from "./upsert-documents.ts";

let database: TestDatabase;
let scope: Scope;
let sourceId: string;

beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database?.stop());
beforeEach(async () => {
  const { id: workspaceId } = await saveWorkspace(database.db, { slug: `w-${randomUUID()}`, name: "Directory" });
  scope = { db: database.db, workspaceId };
  sourceId = randomUUID();
  const facts = { name: "s", kind: "rest", config: {}, sealedSecrets: null, schedule: null };
  await saveSource(scope, { id: sourceId, ...facts, defaultAcl: { allow: [], deny: [] } });
});

const principal = (kind: "user" | "group", id: string): Principal => ({ source: "rest", tenant: "t1", kind, id });
const user = (id: string, emails: string[], name = id): DirectoryEntry => ({
  type: "user",
  principal: principal("user", id),
  name,
  emails,
});
const group = (id: string, members: Principal[], name = id): DirectoryEntry => ({
  type: "group",
  principal: principal("group", id),
  name,
  members,
});
async function* stream(entries: DirectoryEntry[]): AsyncIterable<DirectoryEntry> {
  yield* entries;
}
const report = (...entries: DirectoryEntry[]) => replaceDirectory(scope, sourceId, stream(entries));
const held = async (email: string) =>
  (await listHeldPrincipals(scope, email)).map(({ kind, id }) => `${kind} ${id}`).sort();

// A null character, and half of a pair that UTF-16 writes one character with: PostgreSQL takes neither.
const unstorable = ["ann\u0000", "\u0000", "ann\ud83d"];

it("leaves out accounts and groups whose ids no database holds, admits nobody by them, and goes on with the others", async () => {
  for (const id of unstorable) {
    const counts = await report(
      user(id, ["eve@example.com"]),
      user("ann", ["ann@example.com"]),
      group(id, [principal("user", "ann")]),
      group("finance", [principal("user", id), principal("group", id), principal("user", "ann")]),
      group("board", [principal("user", id)]),
    );
    expect(counts).toEqual({ users: 1, groups: 2, failure: null });
    expect(await held("ann@example.com")).toEqual(["group finance", "user ann"]);
    expect(await held("eve@example.com")).toEqual([]);
  }
});

it("takes from an account and a group what they had, once their entries cannot be stored any more", async () => {
  await report(user("ann", ["ann@example.com"]), group("finance", [principal("user", "ann")]));
  await report(user("ann\u0000", ["ann@example.com"]), group("finance", [principal("user", "ann\u0000")]));
  expect(await held("ann@example.com")).toEqual([]);
});

it("keeps an account and a group whose names or other addresses no database holds", async () => {
  await report(
    user("ann", ["ann@example.com\u0000", "\ud83dann@example.com", "ann@example.com"], "An\u0000n"),
    group("finance", [principal("user", "ann")], "Fin\u0000ance \ud83d"),
  );
  expect(await held("ann@example.com")).toEqual(["group finance", "user ann"]);
  const memberships = await listMemberships(scope, ["ann@example.com"], [principal("group", "finance")]);
  const names = memberships.get("ann@example.com")!.map(({ name }) => name);
  expect(names.sort()).toEqual(["An\ufffdn", "Fin\ufffdance \ufffd"]);
});

it("shows a document to nobody whose new readers no database holds, and goes on", async () => {
  const ann = principal("user", "ann");
  const item = {
    ref: "plan",
    uri: "https://desk.example/plan",
    title: "Plan",
    mediaType: "text/plain",
    sizeBytes: 1,
    modifiedAt: null,
    fingerprint: "1",
    acl: { allow: [ann], deny: [] },
  };
  const content = { contentHash: "c", contentKey: "c", sizeBytes: 1 };
  const [stored] = await upsertDocuments(scope, sourceId, [{ item, content }]);
  const readers = async () => (await getDocument(scope, stored!.documentId)).acl.allow.map(principalKey);
  expect(await readers()).toEqual([principalKey(ann)]);
  const acl = { allow: [ann, principal("group", "fin\u0000ance")], deny: [] };
  await saveDocumentAcl(scope, sourceId, { ref: "plan", acl, fingerprint: "2" });
  expect(await readers()).toEqual([]);
});
