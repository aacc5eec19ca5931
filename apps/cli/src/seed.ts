import { principalKey, workspaceMembers } from "@anneal/core/access/acl";
import { AnnealError } from "@anneal/core/errors";
import { generateApiKey, hashApiKey } from "@anneal/db/api-key";
import { openDatabase, type Scope } from "@anneal/db/database";
import { hashPassword, verifyPassword } from "@anneal/db/password";
import {
  addModelGrant,
  createApiKey,
  findApiKeyIdentity,
  findUserByEmail,
  listMembers,
  saveMember,
  saveUser,
  saveWorkspace,
} from "@anneal/db/queries/access";
import { recordAudit } from "@anneal/db/queries/audit";
import { randomBytes } from "node:crypto";
import { readAccessFile, writeAccessFile, type AccessFile } from "./access-file.ts";

const firstEmail = "admin@anneal.local";
const keyName = "Made by npm start";

/**
 * A workspace with an administrator, an API key and the default permissions. Once it has members nobody is given
 * anything: only a key of the access file that no longer works is replaced, for an administrator that there is.
 * @throws AnnealError CONFLICT when the workspace has members, but no administrator among them
 */
export async function seedWorkspace(databaseUrl: string, stateDir: string): Promise<AccessFile> {
  const { db, close } = openDatabase(databaseUrl, { maxConnections: 2 });
  try {
    const workspace = await saveWorkspace(db, { slug: "default", name: "Default" });
    const scope = { db, workspaceId: workspace.id };
    const existing = await readAccessFile(stateDir);
    if (existing && (await findApiKeyIdentity(db, hashApiKey(existing.apiKey)))) return existing;
    const members = await listMembers(scope);
    if (members.length > 0) return await replaceKey(scope, workspace.slug, stateDir, members, existing);

    const password = randomBytes(12).toString("base64url");
    const passwordHash = await hashPassword(password);
    const user = await saveUser(db, { email: firstEmail, name: "Administrator", passwordHash });
    const everyone = principalKey(workspaceMembers(workspace.id));
    for (const resource of ["base", "adapter:*", "assistant:*"]) {
      await addModelGrant(scope, { principal: everyone, resource, grantedBy: "seed" });
    }
    const { key, prefix, hash } = generateApiKey();
    await createApiKey(scope, { userId: user.id, name: keyName, prefix, hash, expiresAt: null });
    const access = { workspace: workspace.slug, email: firstEmail, password, apiKey: key };
    await writeAccessFile(stateDir, access);
    // Last: without a member the next start does all of this again, with one it does none of it.
    await saveMember(scope, user.id, "admin");
    return access;
  } finally {
    await close();
  }
}

async function replaceKey(
  scope: Scope,
  workspace: string,
  stateDir: string,
  members: Awaited<ReturnType<typeof listMembers>>,
  existing: AccessFile | null,
): Promise<AccessFile> {
  const administrators = members.filter((member) => member.role === "admin");
  const administrator =
    administrators.find((member) => member.email === (existing?.email ?? firstEmail)) ?? administrators[0];
  if (administrator === undefined) {
    throw new AnnealError("CONFLICT", "The workspace has members, but no administrator for whom a key could be made.", {
      action:
        "Put back an access.json whose key still works, or make one of its members an administrator in the database.",
    });
  }
  const { userId, email } = administrator;
  const { key, prefix, hash } = generateApiKey();
  await recordAudit(scope, {
    actor: "npm start",
    action: "key.create",
    subject: `key:${prefix}`,
    details: { name: keyName, user: email },
  });
  await createApiKey(scope, { userId, name: keyName, prefix, hash, expiresAt: null });
  const user = await findUserByEmail(scope.db, email);
  const known = existing?.password ?? null;
  const password = known !== null && (await verifyPassword(known, user?.passwordHash)) ? known : null;
  const access = { workspace, email, password, apiKey: key };
  await writeAccessFile(stateDir, access);
  return access;
}
