import { randomBytes, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import { replaceFile } from "./state-lock.ts";

const secretsSchema = z.object({
  stackId: z.uuid(),
  /** Base64, 32 bytes. */
  encryptionKey: z.string(),
  nextAuthSecret: z.string(),
  databaseOwnerPassword: z.string(),
  databaseAppPassword: z.string(),
  vectorsApiKey: z.string(),
});
export type StackSecrets = z.infer<typeof secretsSchema>;

/** Made once and kept in `secrets.json`, which only its owner can read. A damaged file is an error: new secrets would lock the data out. */
export async function loadSecrets(stateDir: string): Promise<StackSecrets> {
  const existing = await readSecrets(stateDir);
  if (existing !== undefined) return existing;
  const secrets = createSecrets();
  await replaceFile(fileOf(stateDir), `${JSON.stringify(secrets, undefined, 2)}\n`, 0o600);
  return secrets;
}

/** Undefined where no stack was started yet. */
export async function readSecrets(stateDir: string): Promise<StackSecrets | undefined> {
  const file = fileOf(stateDir);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return secretsSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new AnnealError("CONFLICT", `${file} is damaged.`, {
      action:
        "Put back a copy of it, or choose another ANNEAL_STATE_DIR; without its keys the stored state cannot be read.",
      // Not the text of the parser: it may quote the file.
      details: { kind: error instanceof z.ZodError ? "shape" : "syntax" },
    });
  }
}

function fileOf(stateDir: string): string {
  return join(stateDir, "secrets.json");
}

function createSecrets(): StackSecrets {
  const random = () => randomBytes(32);
  return {
    stackId: randomUUID(),
    encryptionKey: random().toString("base64"),
    nextAuthSecret: random().toString("base64url"),
    databaseOwnerPassword: random().toString("base64url"),
    databaseAppPassword: random().toString("base64url"),
    vectorsApiKey: random().toString("base64url"),
  };
}
