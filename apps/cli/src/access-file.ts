import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/** How the person who runs the stack gets in; kept in the state folder, readable by its owner only. */
const accessFileSchema = z.object({
  workspace: z.string(),
  email: z.string(),
  /** null: only the person knows it. */
  password: z.string().nullable(),
  apiKey: z.string(),
});
export type AccessFile = z.infer<typeof accessFileSchema>;

const accessFilePath = (stateDir: string) => join(stateDir, "access.json");

export async function readAccessFile(stateDir: string): Promise<AccessFile | null> {
  const text = await readFile(accessFilePath(stateDir), "utf8").catch(() => null);
  return text === null ? null : accessFileSchema.parse(JSON.parse(text));
}

export async function writeAccessFile(stateDir: string, access: AccessFile): Promise<void> {
  const partial = `${accessFilePath(stateDir)}.partial`;
  await writeFile(partial, JSON.stringify(access, null, 2), { mode: 0o600 });
  await rename(partial, accessFilePath(stateDir));
}
