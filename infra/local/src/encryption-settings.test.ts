import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encryptionSettings, findStoredCredentials } from "./encryption-settings.ts";
import { loadSecrets } from "./secrets.ts";
import { writeRecord } from "./stack-record.ts";

describe("encryptionSettings", () => {
  it("uses the state folder's key where none is set", () => {
    expect(encryptionSettings({}, "own")).toEqual({ ANNEAL_ENCRYPTION_KEY: "own" });
    expect(encryptionSettings({ ANNEAL_ENCRYPTION_KEYS_OLD: "old" }, "own")).toEqual({
      ANNEAL_ENCRYPTION_KEY: "own",
      ANNEAL_ENCRYPTION_KEYS_OLD: "old",
    });
  });

  it("opens with the state folder's key, and seals with the one that is set or comes from a command", () => {
    expect(encryptionSettings({ ANNEAL_ENCRYPTION_KEY: "new", ANNEAL_ENCRYPTION_KEYS_OLD: "old" }, "own")).toEqual({
      ANNEAL_ENCRYPTION_KEY: "new",
      ANNEAL_ENCRYPTION_KEYS_OLD: "old,own",
    });
    expect(encryptionSettings({ ANNEAL_ENCRYPTION_KEY_COMMAND: "vault" }, "own")).toEqual({
      ANNEAL_ENCRYPTION_KEY_COMMAND: "vault",
      ANNEAL_ENCRYPTION_KEYS_OLD: "own",
    });
  });
});

describe("findStoredCredentials", () => {
  let stateDir: string;
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), "anneal-state-"));
  });
  afterEach(() => rm(stateDir, { recursive: true, force: true }));

  it("finds the database and the key of the stack that was started from the folder", async () => {
    const secrets = await loadSecrets(stateDir);
    await writeRecord(stateDir, "http://localhost:3000", { postgres: 5433 }, []);
    expect(await findStoredCredentials(stateDir, {})).toEqual({
      databaseUrl: `postgres://anneal_app:${secrets.databaseAppPassword}@127.0.0.1:5433/anneal`,
      encryption: { ANNEAL_ENCRYPTION_KEY: secrets.encryptionKey },
    });
  });

  it("takes what is set before it, and makes nothing where no stack was started", async () => {
    const databaseUrl = "postgres://app@db.example/anneal";
    expect(await findStoredCredentials(stateDir, { ANNEAL_DATABASE_URL: databaseUrl })).toEqual({
      databaseUrl,
      encryption: {},
    });
    expect(await findStoredCredentials(stateDir, {})).toEqual({ databaseUrl: null, encryption: {} });
    expect(await readdir(stateDir)).toEqual([]);
  });
});
