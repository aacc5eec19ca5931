import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import { inWorkspace, type Scope } from "../database.ts";
import { createEncryptionKey, createSecretBox } from "../secret-box.ts";
import { saveWorkspace } from "./access.ts";
import { getSource, saveSource } from "./sources.ts";
import { upsertDocument } from "./synced-documents.ts";
import { renewCredentials } from "./renewed-credentials.ts";
import { sealCredentialsAnew } from "./sealed-credentials.ts";
import { dropOldDrafts, getDraft, saveDraft } from "./source-drafts.ts";

let database: TestDatabase;
let scope: Scope;
let sourceId: string;
const [presentKey, oldKey] = [createEncryptionKey(), createEncryptionKey()];
const box = createSecretBox(presentKey, [oldKey]);

beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database?.stop());
beforeEach(async () => {
  const { id } = await saveWorkspace(database.db, { slug: `w-${randomUUID()}`, name: "Renewed" });
  scope = { db: database.db, workspaceId: id };
  sourceId = randomUUID();
  await save({ token: "t0", account: "ann" });
});

const save = (secrets: Record<string, string> | undefined, by = box) =>
  saveSource(scope, {
    id: sourceId,
    name: sourceId,
    kind: "sharepoint",
    config: {},
    ...(secrets ? { sealedSecrets: by.seal(secrets, sourceId) } : {}),
    defaultAcl: { allow: [], deny: [] },
    schedule: null,
  });
/** Without credentials, as somebody saves it who saw the source with this configuration. */
const saveWith = (config: Record<string, unknown>, checkedConfig: Record<string, unknown>) =>
  saveSource(scope, {
    id: sourceId,
    name: sourceId,
    kind: "sharepoint",
    config,
    checkedConfig,
    defaultAcl: { allow: [], deny: [] },
    schedule: null,
  });
const stored = async () => box.open((await getSource(scope, sourceId)).sealedSecrets!, sourceId);
const renew = (change: (secrets: Record<string, string>) => Promise<Record<string, string>>) =>
  renewCredentials(scope, box, sourceId, change);
/** What the service gives for a token, once: its use a second time is theft. */
const exchange = async (secrets: Record<string, string>, used?: string[]) => {
  const token = secrets.token ?? "";
  expect(used ?? []).not.toContain(token);
  used?.push(token);
  return { ...secrets, token: `t${Number(token.slice(1)) + 1}` };
};

describe("renewCredentials", () => {
  it("stores what a credential was exchanged for, sealed, with all that belongs to it", async () => {
    await renew((secrets) => exchange(secrets));
    expect(await stored()).toEqual({ token: "t1", account: "ann" });
    expect((await getSource(scope, sourceId)).sealedSecrets?.toString("latin1")).not.toContain("t1");
  });

  it("renews a draft's as well", async () => {
    const id = randomUUID();
    const draft = { id, kind: "sharepoint", config: {}, sealedFor: id };
    await saveDraft(scope, { ...draft, sealedSecrets: box.seal({ token: "t0" }, id) });
    await renewCredentials(scope, box, id, (secrets) => exchange(secrets));
    expect(box.open((await getDraft(scope, id)).sealedSecrets!, id)).toEqual({ token: "t1" });
  });

  it("lets no two exchange the same credential, and gives each the newest", async () => {
    const used: string[] = [];
    await Promise.all(Array.from({ length: 5 }, () => renew((secrets) => exchange(secrets, used))));
    expect(used.toSorted()).toEqual(["t0", "t1", "t2", "t3", "t4"]);
    expect((await stored()).token).toBe("t5");
  });

  it("keeps the old one until the new one is stored", async () => {
    const failing = renew(async (secrets) => {
      expect(await stored()).toEqual(secrets);
      throw new Error("the service does not answer");
    });
    await expect(failing).rejects.toThrow("the service does not answer");
    expect((await stored()).token).toBe("t0");
  });

  it("does not put what it renewed over what a person enters meanwhile", async () => {
    await renew(async (secrets) => {
      await save({ token: "hers" });
      return exchange(secrets);
    });
    expect(await stored()).toEqual({ token: "hers" });
  });

  it("stores what it renewed while the credentials are sealed with another key", async () => {
    await save({ token: "t0" }, createSecretBox(oldKey));
    await renew(async (secrets) => {
      await sealCredentialsAnew(database.db, box, "test");
      return exchange(secrets);
    });
    expect(createSecretBox(presentKey).open((await getSource(scope, sourceId)).sealedSecrets!, sourceId)).toEqual({
      token: "t1",
    });
  });

  it("keeps no document waiting, and stays where a source is saved without its credentials", async () => {
    const item = {
      ref: "a.md",
      uri: "a.md",
      title: null,
      mediaType: null,
      sizeBytes: 1,
      modifiedAt: null,
      fingerprint: "1",
      acl: null,
    };
    await renew(async (secrets) => {
      await upsertDocument(scope, sourceId, item, { contentHash: "1", contentKey: "1", sizeBytes: 1 });
      return exchange(secrets);
    });
    await save(undefined);
    expect((await stored()).token).toBe("t1");
  });

  it("are led nowhere by whoever saw the source as it was before somebody else gave them", async () => {
    await saveWith({ host: "a.example" }, {});
    const late = saveWith({ host: "evil.example" }, {});
    await expect(late).rejects.toMatchObject({ code: "CONFLICT" });
    expect((await getSource(scope, sourceId)).config).toEqual({ host: "a.example" });
    expect(await stored()).toEqual({ token: "t0", account: "ann" });
  });

  it("are not handed out of a draft that is older than an hour", async () => {
    const id = randomUUID();
    await saveDraft(scope, { id, kind: "sharepoint", config: {}, sealedFor: id, sealedSecrets: box.seal({}, id) });
    await expect(getDraft(scope, id)).resolves.toMatchObject({ id });
    await inWorkspace(scope, (tx) =>
      tx.execute(sql`update source_drafts set created_at = now() - interval '61 minutes' where id = ${id}`),
    );
    await expect(getDraft(scope, id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await dropOldDrafts(scope);
    const left = await inWorkspace(scope, (tx) => tx.execute(sql`select id from source_drafts where id = ${id}`));
    expect(left.rows ?? left).toHaveLength(0);
  });

  it("says what to do where there is nothing to exchange", async () => {
    const none = renewCredentials(scope, box, randomUUID(), async (secrets) => secrets);
    await expect(none).rejects.toMatchObject({ code: "SOURCE_CREDENTIALS" });
  });
});
