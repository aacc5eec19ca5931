import type { Role } from "@anneal/core/access/roles";
import { AnnealError } from "@anneal/core/errors";
import { and, asc, eq, gt, inArray, isNull, or, sql } from "drizzle-orm";
import { inWorkspace, requireRow, type Database, type Scope } from "../database.ts";
import { apiKeys, memberships, modelGrants, users, workspaces } from "../schema.ts";
import { appendAudit, type AuditEntry } from "./audit.ts";

export type Membership = { workspaceId: string; workspaceName: string; workspaceSlug: string; role: Role };

export async function findUserByEmail(db: Database, email: string) {
  const [row] = await db.select().from(users).where(eq(users.email, email.trim().toLowerCase()));
  return row;
}

/** Makes the user, or updates name and password of the one who has this e-mail address. */
export async function saveUser(db: Database, user: { email: string; name: string; passwordHash: string | null }) {
  const [row] = await db
    .insert(users)
    .values({ ...user, email: user.email.trim().toLowerCase() })
    .onConflictDoUpdate({
      target: users.email,
      set: { name: user.name, passwordHash: sql`coalesce(excluded.password_hash, ${users.passwordHash})` },
    })
    .returning();
  return row!;
}

export async function saveWorkspace(db: Database, workspace: { slug: string; name: string }) {
  const [row] = await db
    .insert(workspaces)
    .values(workspace)
    .onConflictDoUpdate({ target: workspaces.slug, set: { name: workspace.name } })
    .returning();
  return row!;
}

export async function listWorkspaces(db: Database) {
  return db.select().from(workspaces).orderBy(asc(workspaces.name));
}

export async function listMemberships(db: Database, userId: string): Promise<Membership[]> {
  return db
    .select({
      workspaceId: workspaces.id,
      workspaceName: workspaces.name,
      workspaceSlug: workspaces.slug,
      role: memberships.role,
    })
    .from(memberships)
    .innerJoin(workspaces, eq(workspaces.id, memberships.workspaceId))
    .where(eq(memberships.userId, userId))
    .orderBy(asc(workspaces.name));
}

export async function listMembers(scope: Scope) {
  return scope.db
    .select({
      userId: users.id,
      email: users.email,
      name: users.name,
      role: memberships.role,
      since: memberships.createdAt,
      hasPassword: sql<boolean>`${users.passwordHash} is not null`,
    })
    .from(memberships)
    .innerJoin(users, eq(users.id, memberships.userId))
    .where(eq(memberships.workspaceId, scope.workspaceId))
    .orderBy(asc(users.email));
}

/** For who decides alone, as the first start does: it asks nothing and leaves no record. */
export async function saveMember(scope: Scope, userId: string, role: Role): Promise<void> {
  await scope.db
    .insert(memberships)
    .values({ workspaceId: scope.workspaceId, userId, role })
    .onConflictDoUpdate({ target: [memberships.workspaceId, memberships.userId], set: { role } });
}

/** @throws AnnealError CONFLICT for who is a member already, whose role this would change */
export async function addMember(scope: Scope, userId: string, role: Role, audit: AuditEntry): Promise<void> {
  await inWorkspace(scope, async (tx) => {
    await appendAudit(scope, tx, audit);
    const added = await tx
      .insert(memberships)
      .values({ workspaceId: scope.workspaceId, userId, role })
      .onConflictDoNothing()
      .returning({ userId: memberships.userId });
    if (added.length > 0) return;
    throw new AnnealError("CONFLICT", "This person is a member of the workspace already.", {
      action: "Change their role in the list of members.",
    });
  });
}

/**
 * Gives a member another role, or takes them out (null). One change of a workspace's members at a time: a workspace
 * whose last administrator left could never get another one.
 * @throws AnnealError CONFLICT for the last administrator, NOT_FOUND for who is no member
 */
export async function changeMember(scope: Scope, userId: string, role: Role | null, audit: AuditEntry): Promise<void> {
  await inWorkspace(scope, async (tx) => {
    const ofWorkspace = eq(memberships.workspaceId, scope.workspaceId);
    const members = await tx.select().from(memberships).where(ofWorkspace).orderBy(memberships.userId).for("update");
    const member = requireRow(
      members.find((each) => each.userId === userId),
      "member",
      userId,
    );
    const administrators = members.filter((each) => each.role === "admin");
    if (member.role === "admin" && role !== "admin" && administrators.length === 1)
      throw new AnnealError("CONFLICT", "This is the last administrator of the workspace.", {
        action: "Make somebody else administrator first.",
      });
    await appendAudit(scope, tx, audit);
    const isMember = and(ofWorkspace, eq(memberships.userId, userId));
    if (role === null) await tx.delete(memberships).where(isMember);
    else await tx.update(memberships).set({ role }).where(isMember);
  });
}

export type ApiKeyIdentity = {
  apiKeyId: string;
  workspaceId: string;
  userId: string;
  email: string;
  role: Role;
};

/** Who a key acts as now; undefined when it is unknown, revoked or expired, or when its user has left the workspace. */
export async function findApiKeyIdentity(db: Database, hash: string): Promise<ApiKeyIdentity | undefined> {
  const [row] = await db
    .select({
      apiKeyId: apiKeys.id,
      workspaceId: apiKeys.workspaceId,
      userId: apiKeys.userId,
      email: users.email,
      role: memberships.role,
    })
    .from(apiKeys)
    .innerJoin(users, eq(users.id, apiKeys.userId))
    .innerJoin(
      memberships,
      and(eq(memberships.userId, apiKeys.userId), eq(memberships.workspaceId, apiKeys.workspaceId)),
    )
    .where(
      and(
        eq(apiKeys.hash, hash),
        isNull(apiKeys.revokedAt),
        or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, sql`now()`)),
      ),
    );
  return row;
}

export async function createApiKey(
  scope: Scope,
  key: { userId: string; name: string; prefix: string; hash: string; expiresAt: Date | null },
) {
  const [row] = await scope.db
    .insert(apiKeys)
    .values({ ...key, workspaceId: scope.workspaceId })
    .returning({ id: apiKeys.id });
  return row!;
}

export async function listApiKeys(scope: Scope) {
  return scope.db
    .select({
      id: apiKeys.id,
      name: apiKeys.name,
      prefix: apiKeys.prefix,
      email: users.email,
      createdAt: apiKeys.createdAt,
      expiresAt: apiKeys.expiresAt,
      revokedAt: apiKeys.revokedAt,
      lastUsedAt: apiKeys.lastUsedAt,
    })
    .from(apiKeys)
    .innerJoin(users, eq(users.id, apiKeys.userId))
    .where(eq(apiKeys.workspaceId, scope.workspaceId))
    .orderBy(asc(apiKeys.createdAt));
}

export async function revokeApiKey(scope: Scope, apiKeyId: string): Promise<boolean> {
  const rows = await scope.db
    .update(apiKeys)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(apiKeys.id, apiKeyId), eq(apiKeys.workspaceId, scope.workspaceId), isNull(apiKeys.revokedAt)))
    .returning({ id: apiKeys.id });
  return rows.length > 0;
}

export async function touchApiKey(db: Database, apiKeyId: string): Promise<void> {
  await db
    .update(apiKeys)
    .set({ lastUsedAt: sql`now()` })
    .where(eq(apiKeys.id, apiKeyId));
}

/** The resources that any of these principals was granted; an empty list means none. */
export async function listGrantedResources(scope: Scope, principals: string[]): Promise<string[]> {
  if (principals.length === 0) return [];
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .selectDistinct({ resource: modelGrants.resource })
      .from(modelGrants)
      .where(and(eq(modelGrants.workspaceId, scope.workspaceId), inArray(modelGrants.principal, principals))),
  );
  return rows.map((row) => row.resource);
}

export async function listModelGrants(scope: Scope) {
  return inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(modelGrants)
      .where(eq(modelGrants.workspaceId, scope.workspaceId))
      .orderBy(asc(modelGrants.resource), asc(modelGrants.principal)),
  );
}

export async function addModelGrant(
  scope: Scope,
  grant: { principal: string; resource: string; grantedBy: string },
): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx
      .insert(modelGrants)
      .values({ ...grant, workspaceId: scope.workspaceId })
      .onConflictDoNothing(),
  );
}

export async function removeModelGrant(scope: Scope, grantId: string): Promise<boolean> {
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .delete(modelGrants)
      .where(and(eq(modelGrants.id, grantId), eq(modelGrants.workspaceId, scope.workspaceId)))
      .returning({ id: modelGrants.id }),
  );
  return rows.length > 0;
}
