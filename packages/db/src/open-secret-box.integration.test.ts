import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { AnnealError } from "@anneal/core/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSecretBox, type EncryptionSettings } from "./open-secret-box.ts";
import { createEncryptionKey, createSecretBox } from "./secret-box.ts";

const [present, old, older] = [createEncryptionKey(), createEncryptionKey(), createEncryptionKey()];
const idOf = (key: string) => createSecretBox(key).keyIds[0];

async function errorOf(settings: EncryptionSettings, timeoutMs?: number): Promise<AnnealError> {
  const error = await openSecretBox(settings, timeoutMs === undefined ? undefined : { timeoutMs }).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof AnnealError) return error;
  throw new Error("It was opened, or failed in another way.", { cause: error });
}

describe("openSecretBox", () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "anneal-keys-"));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  /** The command line of a program that does this. */
  const programThat = async (script: string): Promise<string> => {
    const file = join(dir, `program-${Math.random().toString(36).slice(2)}`);
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
    return file;
  };

  it("seals with the key that is set and opens with the old ones", async () => {
    const box = await openSecretBox({
      ANNEAL_ENCRYPTION_KEY: present,
      ANNEAL_ENCRYPTION_KEYS_OLD: `${old}, ${older},`,
    });
    expect(box.keyIds).toEqual([present, old, older].map(idOf));
  });

  it("takes the key that a program prints, older ones from its further lines, and from the settings", async () => {
    const command = await programThat(`printf '%s\\n' "$1" "$2"`);
    const box = await openSecretBox({
      ANNEAL_ENCRYPTION_KEY_COMMAND: `${command} '${present}' "${old}"`,
      ANNEAL_ENCRYPTION_KEYS_OLD: older,
    });
    expect(box.keyIds).toEqual([present, old, older].map(idOf));
  });

  it("gives the program its words as they stand, and no shell that would read them", async () => {
    const command = await programThat(`[ "$1" = '$(touch here); *' ] && echo '${present}'`);
    const box = await openSecretBox({ ANNEAL_ENCRYPTION_KEY_COMMAND: `${command} '$(touch here); *'` });
    expect(box.keyIds).toEqual([idOf(present)]);
  });

  it("does not wait for a program that asks for something", async () => {
    const command = await programThat(`read answer || echo '${present}'`);
    const box = await openSecretBox({ ANNEAL_ENCRYPTION_KEY_COMMAND: command });
    expect(box.keyIds).toEqual([idOf(present)]);
  });

  it.each([
    ["ends with an error", "echo s3cr3t; echo s3cr3t >&2; exit 7", "ended with status 7"],
    ["prints no key", "echo s3cr3t", "something else than 32 bytes"],
    ["prints a key and more", `echo '${old}'; echo s3cr3t`, "something else than 32 bytes"],
    ["prints nothing", "true", "something else than 32 bytes"],
    ["prints without end", "while :; do echo s3cr3t; done", "far more than keys"],
    ["ends itself", "echo s3cr3t; kill -KILL $$", "ended by a signal"],
  ])("says what is wrong with a program that %s, and repeats nothing that it printed", async (_, script, said) => {
    const error = await errorOf({ ANNEAL_ENCRYPTION_KEY_COMMAND: `${await programThat(script)} t0ken` });
    expect(error).toMatchObject({ code: "PREREQUISITE_MISSING", message: expect.stringContaining(said) });
    for (const secret of ["s3cr3t", "t0ken", old]) expect(inspect(error, { depth: 9 })).not.toContain(secret);
  });

  it("gives a program that does not end its time, and no more", async () => {
    const error = await errorOf({ ANNEAL_ENCRYPTION_KEY_COMMAND: await programThat("exec sleep 600") }, 50);
    expect(error).toMatchObject({ code: "PREREQUISITE_MISSING", message: expect.stringContaining("within 0.05 s") });
  });

  it("says that a program is not there, or may not be run", async () => {
    const missing = join(dir, "missing");
    expect((await errorOf({ ANNEAL_ENCRYPTION_KEY_COMMAND: missing })).message).toContain("was not found");
    const closed = join(dir, "closed");
    await writeFile(closed, "");
    expect((await errorOf({ ANNEAL_ENCRYPTION_KEY_COMMAND: closed })).message).toContain("may not be run");
  });

  it("refuses a key and a command at once, and neither", async () => {
    const both = { ANNEAL_ENCRYPTION_KEY: present, ANNEAL_ENCRYPTION_KEY_COMMAND: "true" };
    expect(await errorOf(both)).toMatchObject({ code: "INVALID_INPUT" });
    expect(await errorOf({ ANNEAL_ENCRYPTION_KEYS_OLD: old })).toMatchObject({ code: "PREREQUISITE_MISSING" });
  });
});
