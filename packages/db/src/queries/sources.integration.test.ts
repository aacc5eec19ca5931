import { randomUUID } from "node:crypto";
import { nobody, workspaceMembers, workspaceUser, type Acl } from "@anneal/core/access/acl";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aclOf, contentOf, createSource, itemOf, sha256, upsert } from "../../testing/document-fixture.ts";
import { addWorkspace } from "../../testing/source-fixture.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import { openDatabase, type DatabaseHandle, type Scope } from "../database.ts";
import { getDocument, listDocuments } from "./documents.ts";
import { saveDraft, takeDraft } from "./source-drafts.ts";
import { deleteSource, listSources, restoreSource, saveSource } from "./sources.ts";
import {
  markDocumentDeleted,
  moveDocument,
  quarantineRef,
  saveDocumentAcl,
  upsertDocument,
} from "./synced-documents.ts";

let test: TestDatabase;
/** The schema's owner, a superuser, who sees all workspaces. */
let owner: DatabaseHandle;
let scope: Scope;

beforeAll(async () => {
  test = await startTestDatabase();
  owner = openDatabase(test.ownerUrl);
});
afterAll(async () => {
  await owner?.close();
  await test?.stop();
});
beforeEach(async () => {
  scope = await addWorkspace(test.db);
});

describe("a source's audience", () => {
  it("is that of its documents from the moment it changes, but for those that have their own", async () => {
    const source = { id: randomUUID(), name: "s", kind: "postgres", config: {}, sealedSecrets: null, schedule: null };
    const save = (defaultAcl: Acl) => saveSource(scope, { ...source, defaultAcl });
    const members = aclOf(scope);
    const own: Acl = { allow: [workspaceUser(scope.workspaceId, randomUUID())], deny: [] };
    const put = async (ref: string, acl: Acl | null) =>
      (await upsertDocument(scope, source.id, { ...itemOf(ref, ref), acl }, contentOf(ref))).documentId;
    const aclsOf = async (ids: string[]) => Promise.all(ids.map(async (id) => (await getDocument(scope, id)).acl));
    await save(members);
    const elsewhere = (await upsert(scope, await createSource(scope), "else.txt", "else")).documentId;
    const ids = [await put("plain", null), await put("gone", null), await put("own", own), await put("told", null)];
    await markDocumentDeleted(scope, source.id, "gone");
    await saveDocumentAcl(scope, source.id, { ref: "told", acl: members, fingerprint: "told" });

    await save(nobody);
    expect(await aclsOf([...ids, elsewhere])).toEqual([nobody, nobody, own, members, members]);

    // A sync that began before the change reads on with what counts now.
    const late = await put("late", null);
    await moveDocument(scope, source.id, "plain", itemOf("moved", "moved"));
    await quarantineRef(scope, source.id, "bad", { stage: "connect", code: "X", reason: "Bad." });
    const [bad] = (await listDocuments(scope, { search: "bad" }, { limit: 1, offset: 0 })).rows;
    expect(await aclsOf([late, ids[0]!, bad!.id])).toEqual([nobody, nobody, nobody]);

    // A row that lost its own permissions at the source follows the default again.
    await put("own", null);
    await save(members);
    expect(await aclsOf([late, ids[0]!, ids[2]!, bad!.id])).toEqual([members, members, members, members]);
  });
});

describe("a removed source", () => {
  it("comes back with exactly the documents that went with it, and nothing comes alive under it meanwhile", async () => {
    const sourceId = await createSource(scope);
    const { documentId } = await upsert(scope, sourceId, "a.txt", "one");
    await upsert(scope, sourceId, "b.txt", "two");
    await markDocumentDeleted(scope, sourceId, "b.txt");
    await deleteSource(scope, sourceId);
    const live = async () => (await listDocuments(scope, {}, { limit: 10, offset: 0 })).rows.map(({ id }) => id);
    expect(await live()).toEqual([]);
    expect(await listSources(scope)).toEqual([]);

    const removed = { code: "SOURCE_NOT_FOUND" };
    const drop = { stage: "connect", code: "DOCUMENT_TOO_LARGE", reason: "Too large." };
    await expect(upsert(scope, sourceId, "c.txt", "three")).rejects.toMatchObject(removed);
    await expect(upsert(scope, sourceId, "a.txt", "other")).rejects.toMatchObject(removed);
    await expect(quarantineRef(scope, sourceId, "d.txt", drop)).rejects.toMatchObject(removed);
    await expect(moveDocument(scope, sourceId, "a.txt", itemOf("e.txt", "x"))).rejects.toMatchObject(removed);

    expect((await restoreSource(scope, sourceId))?.id).toBe(sourceId);
    expect(await live()).toEqual([documentId]);
    expect(await getDocument(scope, documentId)).toMatchObject({ contentHash: sha256("one") });
    expect(await restoreSource(scope, sourceId)).toBeUndefined();
  });

  it("comes back with nobody's what refuses a group, as who is in it went with the source", async () => {
    const sourceId = await createSource(scope);
    const group = { source: "rest", tenant: "api", kind: "group" as const, id: "trainees" };
    const everybody = workspaceMembers(scope.workspaceId);
    const put = async (ref: string, acl: Acl) => {
      const content = { contentHash: sha256(ref), contentKey: ref, sizeBytes: 1 };
      return (await upsertDocument(scope, sourceId, { ...itemOf(ref, "1"), acl }, content)).documentId;
    };
    const open = await put("open.txt", { allow: [everybody], deny: [] });
    const refusing = await put("refusing.txt", { allow: [everybody], deny: [group] });
    await owner.pool.query(`update sources set cursor = '{"version": 1, "value": "far"}' where id = $1`, [sourceId]);
    await deleteSource(scope, sourceId);
    expect(await restoreSource(scope, sourceId)).toMatchObject({ id: sourceId, cursor: null });
    const { rows } = await owner.pool.query("select cursor from sources where id = $1", [sourceId]);
    expect(rows).toEqual([{ cursor: null }]);
    expect((await getDocument(scope, open)).acl).toEqual({ allow: [everybody], deny: [] });
    expect(await getDocument(scope, refusing)).toMatchObject({ acl: nobody, fingerprint: "" });
  });
});

describe("a draft of a source", () => {
  it("is handed out once, and is gone when nobody came for it", async () => {
    const draft = {
      id: randomUUID(),
      kind: "s3",
      config: {},
      sealedSecrets: Buffer.from("sealed"),
      sealedFor: randomUUID(),
    };
    await saveDraft(scope, draft);
    expect(await takeDraft(scope, draft.id)).toMatchObject(draft);
    await expect(takeDraft(scope, draft.id)).rejects.toMatchObject({ code: "NOT_FOUND" });

    await saveDraft(scope, draft);
    await owner.pool.query("update source_drafts set created_at = now() - interval '1 hour'");
    await saveDraft(scope, { ...draft, id: randomUUID() });
    await expect(takeDraft(scope, draft.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});
