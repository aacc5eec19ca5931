import { randomUUID } from "node:crypto";
import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { sealWithoutKeyId } from "../../testing/seal-without-key-id.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import { inWorkspace, type Scope } from "../database.ts";
import { sources } from "../schema.ts";
import { createEncryptionKey, createSecretBox, keyIdOf } from "../secret-box.ts";
import { saveWorkspace } from "./access.ts";
import { listAuditEvents } from "./audit.ts";
import { deleteSource, getSource, restoreSource, saveSource } from "./sources.ts";
import { sealCredentialsAnew } from "./sealed-credentials.ts";
import { saveDraft, takeDraft } from "./source-drafts.ts";

let database: TestDatabase;
let scopes: [Scope, Scope];
const secrets = { password: "correct horse" };
const [presentKey, oldKey] = [createEncryptionKey(), createEncryptionKey()];
const present = createSecretBox(presentKey);
const old = createSecretBox(oldKey);
const ring = createSecretBox(presentKey, [oldKey]);

beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database?.stop());
beforeEach(async () => {
  const { db } = database;
  const add = async () => {
    const { id } = await saveWorkspace(db, { slug: `w-${randomUUID()}`, name: "Sealed" });
    return { db, workspaceId: id };
  };
  scopes = [await add(), await add()];
});

async function addSource(scope: Scope, seal: (id: string) => Buffer | null, id: string = randomUUID()) {
  await saveSource(scope, {
    id,
    name: id,
    kind: "s3",
    config: {},
    sealedSecrets: seal(id),
    defaultAcl: { allow: [], deny: [] },
    schedule: null,
  });
  return id;
}

async function isSomebodyWaiting(): Promise<boolean> {
  const { rowCount } = await database.db.execute(sql`select 1 from pg_locks where not granted`);
  return rowCount !== 0;
}

const envelopeOf = async (scope: Scope, id: string) => (await getSource(scope, id)).sealedSecrets!;

describe("sealCredentialsAnew", () => {
  it("seals every stored credential with the present key, whatever it was sealed with and wherever it is", async () => {
    const [scope, other] = scopes;
    const byOld = await addSource(scope, (id) => old.seal(secrets, id));
    const unnamed = await addSource(other, (id) => sealWithoutKeyId(presentKey, secrets, id));
    const removed = await addSource(other, (id) => old.seal(secrets, id));
    await deleteSource(other, removed);
    const without = await addSource(scope, () => null);
    const draft = { id: randomUUID(), kind: "s3", config: {}, sealedFor: byOld };
    await saveDraft(scope, { ...draft, sealedSecrets: old.seal(secrets, byOld) });

    const done = await sealCredentialsAnew(database.db, ring, "test");
    expect(done).toEqual({ sealedCount: 4, presentCount: expect.any(Number), unopened: [] });
    await restoreSource(other, removed);
    for (const [of, id] of [
      [scope, byOld],
      [other, unnamed],
      [other, removed],
    ] as const) {
      const envelope = await envelopeOf(of, id);
      expect(keyIdOf(envelope)).toBe(present.keyIds[0]);
      expect(present.open(envelope, id)).toEqual(secrets);
    }
    expect(await envelopeOf(scope, without)).toBeNull();
    const { sealedSecrets, sealedFor } = await takeDraft(scope, draft.id);
    expect(present.open(sealedSecrets!, sealedFor)).toEqual(secrets);
  });

  it("touches and records nothing where all is sealed with the present key already", async () => {
    const [scope] = scopes;
    const id = await addSource(scope, (id) => present.seal(secrets, id));
    const before = await envelopeOf(scope, id);
    await sealCredentialsAnew(database.db, ring, "test");
    expect((await envelopeOf(scope, id)).equals(before)).toBe(true);
    expect((await listAuditEvents(scope, {}, { limit: 10, offset: 0 })).total).toBe(0);
  });

  it("records in each workspace that it was done, by whom and with which key", async () => {
    const [scope] = scopes;
    await addSource(scope, (id) => old.seal(secrets, id));
    await sealCredentialsAnew(database.db, ring, "test");
    const { rows } = await listAuditEvents(scope, {}, { limit: 10, offset: 0 });
    expect(rows).toMatchObject([
      { actor: "test", action: "credentials.seal-anew", details: { key: present.keyIds[0] } },
    ]);
  });

  it("goes on where it was stopped, whichever credential that was", async () => {
    const ids = await Promise.all(scopes.map((scope) => addSource(scope, (id) => old.seal(secrets, id))));
    for (let stopAt = 1; stopAt <= 2; stopAt += 1) {
      let count = 0;
      const seal = (...of: Parameters<typeof ring.seal>) => {
        if ((count += 1) === stopAt) throw new Error("stopped");
        return ring.seal(...of);
      };
      await sealCredentialsAnew(database.db, { ...ring, seal }, "test").catch(() => undefined);
      // Whatever is stored can be opened at any moment.
      for (const [at, scope] of scopes.entries())
        expect(ring.open(await envelopeOf(scope, ids[at]!), ids[at]!)).toEqual(secrets);
    }
    await sealCredentialsAnew(database.db, ring, "test");
    for (const [at, scope] of scopes.entries())
      expect(present.open(await envelopeOf(scope, ids[at]!), ids[at]!)).toEqual(secrets);
  });

  it("does not put an older credential over one that is saved meanwhile", async () => {
    const [scope] = scopes;
    const id = await addSource(scope, (id) => old.seal(secrets, id));
    const { rotation } = await inWorkspace(scope, async (tx) => {
      const sealedSecrets = present.seal({ password: "new" }, id);
      await tx.update(sources).set({ sealedSecrets }).where(eq(sources.id, id));
      const begun = { rotation: sealCredentialsAnew(database.db, ring, "test") };
      // It has read the older one by now, and waits for this transaction.
      await vi.waitUntil(isSomebodyWaiting, { timeout: 30_000 });
      return begun;
    });
    await rotation;
    expect(present.open(await envelopeOf(scope, id), id)).toEqual({ password: "new" });
  });

  it("leaves what no key opens as it was, names it, and seals the rest", async () => {
    const [scope] = scopes;
    const lost = createSecretBox(createEncryptionKey());
    const unopened = await addSource(scope, (id) => lost.seal(secrets, id));
    const before = await envelopeOf(scope, unopened);
    const other = await addSource(scope, (id) => old.seal(secrets, id));
    const done = await sealCredentialsAnew(database.db, ring, "test");
    expect(done.unopened).toMatchObject([{ source: unopened, error: { code: "SOURCE_CREDENTIALS" } }]);
    expect((await envelopeOf(scope, unopened)).equals(before)).toBe(true);
    expect(present.open(await envelopeOf(scope, other), other)).toEqual(secrets);
  });
});
