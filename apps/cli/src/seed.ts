import { principalKey, workspaceMembers } from "@anneal/core/access/acl";
import { generateApiKey } from "@anneal/db/api-key";
import { openDatabase } from "@anneal/db/database";
import { hashPassword } from "@anneal/db/password";
import {
  addModelGrant,
  createApiKey,
  findApiKeyIdentity,
  saveMember,
  saveUser,
  saveWorkspace,
} from "@anneal/db/queries/access";
import { hashApiKey } from "@anneal/db/api-key";
import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/** How the person who runs the stack gets in; kept in the state folder, readable by its owner only. */
export const accessFileSchema = z.object({
  workspace: z.string(),
  email: z.string(),
  password: z.string(),
  apiKey: z.string(),
});
export type AccessFile = z.infer<typeof accessFileSchema>;

const accessFilePath = (stateDir: string) => join(stateDir, "access.json");

export async function readAccessFile(stateDir: string): Promise<AccessFile | null> {
  const text = await readFile(accessFilePath(stateDir), "utf8").catch(() => null);
  return text === null ? null : accessFileSchema.parse(JSON.parse(text));
}

/** A workspace with an administrator, an API key and the default permissions; does nothing where they are already. */
export async function seedWorkspace(databaseUrl: string, stateDir: string): Promise<AccessFile> {
  const { db, close } = openDatabase(databaseUrl, { maxConnections: 2 });
  try {
    const workspace = await saveWorkspace(db, { slug: "default", name: "Default" });
    const scope = { db, workspaceId: workspace.id };
    const existing = await readAccessFile(stateDir);
    // A key that the database does not know belongs to another database: this one is new.
    if (existing && (await findApiKeyIdentity(db, hashApiKey(existing.apiKey)))) return existing;

    const password = randomBytes(12).toString("base64url");
    const email = "admin@anneal.local";
    const user = await saveUser(db, { email, name: "Administrator", passwordHash: await hashPassword(password) });
    await saveMember(scope, user.id, "admin");
    const everyone = principalKey(workspaceMembers(workspace.id));
    for (const resource of ["base", "adapter:*", "assistant:*"]) {
      await addModelGrant(scope, { principal: everyone, resource, grantedBy: "seed" });
    }
    const { key, prefix, hash } = generateApiKey();
    await createApiKey(scope, { userId: user.id, name: "Made by npm start", prefix, hash, expiresAt: null });
    const access = { workspace: workspace.slug, email, password, apiKey: key };
    const partial = `${accessFilePath(stateDir)}.partial`;
    await writeFile(partial, JSON.stringify(access, null, 2), { mode: 0o600 });
    await rename(partial, accessFilePath(stateDir));
    return access;
  } finally {
    await close();
  }
}
