import { randomUUID } from "node:crypto";
import type { Scope } from "@anneal/db/database";
import { saveMember, saveUser } from "@anneal/db/queries/access";
import { createIdentity, type Identity, type Role } from "#server/auth/identity.ts";

/** A new member of the workspace, who is signed in. */
export async function joinAs(role: Role, scope: Scope): Promise<Identity> {
  const email = `${role}-${randomUUID()}@example.com`;
  const user = await saveUser(scope.db, { email, name: role, passwordHash: null });
  await saveMember(scope, user.id, role);
  return createIdentity({ userId: user.id, email, workspaceId: scope.workspaceId, role, via: { kind: "session" } });
}
