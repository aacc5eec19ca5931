import { principalKey, workspaceMembers, workspaceUser, type Principal } from "@anneal/core/access/acl";
import type { Membership } from "@anneal/db/queries/access";

export type Role = Membership["role"];

/** Who acts, in which workspace, with which rights: what every procedure and route decides by. */
export type Identity = {
  userId: string;
  email: string;
  workspaceId: string;
  role: Role;
  /** What documents' ACLs are held against. */
  principals: Principal[];
  principalKeys: ReadonlySet<string>;
  via: { kind: "session" } | { kind: "apiKey"; apiKeyId: string };
};

export function createIdentity(facts: Pick<Identity, "userId" | "email" | "workspaceId" | "role" | "via">): Identity {
  const principals = [workspaceMembers(facts.workspaceId), workspaceUser(facts.workspaceId, facts.userId)];
  return { ...facts, principals, principalKeys: new Set(principals.map(principalKey)) };
}
