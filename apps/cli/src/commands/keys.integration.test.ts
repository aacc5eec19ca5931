import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { saveWorkspace } from "@anneal/db/queries/access";
import { getSource, saveSource } from "@anneal/db/queries/sources";
import { createEncryptionKey, createSecretBox, keyIdOf } from "@anneal/db/secret-box";
import type { Scope } from "@anneal/db/database";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { repoDir } from "@anneal/local-stack/environment";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

const secrets = { password: "correct horse" };

describe("anneal keys", () => {
  let database: TestDatabase;
  let scope: Scope;
  beforeAll(async () => {
    database = await startTestDatabase();
  });
  afterAll(() => database?.stop());
  beforeEach(async () => {
    const { id } = await saveWorkspace(database.db, { slug: `w-${randomUUID()}`, name: "Keys" });
    scope = { db: database.db, workspaceId: id };
  });

  const keys = async (command: string, settings: Record<string, string>) => {
    const { ANNEAL_ENCRYPTION_KEY: _, ...inherited } = process.env;
    const env = { ...inherited, ANNEAL_STATE_DIR: join(database.dir, "no-state"), ...settings };
    const program = join(repoDir, "apps/cli/src/main.ts");
    return promisify(execFile)(process.execPath, [program, "keys", command], { env }).then(
      ({ stdout, stderr }) => ({ exitCode: 0, output: stdout + stderr }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        exitCode: error.code,
        output: error.stdout + error.stderr,
      }),
    );
  };
  const rotate = (settings: Record<string, string>) =>
    keys("rotate", { ANNEAL_DATABASE_URL: database.appUrl, ...settings });
  const addSource = async (key: string): Promise<string> => {
    const id = randomUUID();
    await saveSource(scope, {
      id,
      name: `Source ${id}`,
      kind: "s3",
      config: {},
      sealedSecrets: createSecretBox(key).seal(secrets, id),
      defaultAcl: { allow: [], deny: [] },
      schedule: null,
    });
    return id;
  };
  const envelopeOf = async (sourceId: string) => (await getSource(scope, sourceId)).sealedSecrets!;

  it("makes keys that are fit to be set, another one each time", async () => {
    const [first, second] = [(await keys("new", {})).output.trim(), (await keys("new", {})).output.trim()];
    expect(first).not.toBe(second);
    expect(createSecretBox(first).keyIds).toHaveLength(1);
  });

  it("seals what an old key sealed with the present one, says so, and finds nothing to do the next time", async () => {
    const [present, old] = [createEncryptionKey(), createEncryptionKey()];
    const sourceIds = [await addSource(old), await addSource(old), await addSource(present)];
    const settings = { ANNEAL_ENCRYPTION_KEY_COMMAND: `/bin/echo ${present}`, ANNEAL_ENCRYPTION_KEYS_OLD: old };

    const first = await rotate(settings);
    expect(first.output).toContain("Sealed 2 stored credentials anew");
    expect(first.output).toContain("1 were already");
    const [oldId] = createSecretBox(old).keyIds;
    expect(first.output).toContain(`needs the old key ${oldId} any more`);
    expect(first.exitCode).toBe(0);
    for (const id of sourceIds) expect(createSecretBox(present).open(await envelopeOf(id), id)).toEqual(secrets);

    expect((await rotate(settings)).output).toContain("Sealed 0 stored credentials anew");
    for (const key of [present, old]) expect(first.output).not.toContain(key);
  });

  it("names what no key opens, leaves it as it was, and does not call any old key dispensable", async () => {
    const [present, old, lost] = [createEncryptionKey(), createEncryptionKey(), createEncryptionKey()];
    const [sealedByOld, sealedByLost] = [await addSource(old), await addSource(lost)];
    const before = await envelopeOf(sealedByLost);

    const { exitCode, output } = await rotate({ ANNEAL_ENCRYPTION_KEY: present, ANNEAL_ENCRYPTION_KEYS_OLD: old });
    expect(exitCode).toBe(1);
    expect(output).toContain(`Source ${sealedByLost}`);
    expect(output).toContain(keyIdOf(before));
    expect(output).not.toContain("any more");
    expect((await envelopeOf(sealedByLost)).equals(before)).toBe(true);
    expect(createSecretBox(present).open(await envelopeOf(sealedByOld), sealedByOld)).toEqual(secrets);
  });

  it("says in words that there is no database, that it does not answer, and that no key is set", async () => {
    const key = createEncryptionKey();
    const nowhere = await keys("rotate", { ANNEAL_DATABASE_URL: "", ANNEAL_ENCRYPTION_KEY: key });
    expect(nowhere.output).toContain("PREREQUISITE_MISSING: There is no database");
    const silent = await rotate({
      ANNEAL_DATABASE_URL: "postgres://app@127.0.0.1:1/anneal",
      ANNEAL_ENCRYPTION_KEY: key,
    });
    expect(silent.output).toContain("ENGINE_UNAVAILABLE: The database does not answer");
    expect((await rotate({})).output).toContain("PREREQUISITE_MISSING: Credentials of sources");
  });
});
