import { anyone, principalKey, workspaceMembers, workspaceUser, type Principal } from "@anneal/core/access/acl";
import type { Database } from "@anneal/db/database";
import type { Membership } from "@anneal/db/queries/access";
import { listHeldPrincipals } from "@anneal/db/queries/directory";

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

type IdentityFacts = Pick<Identity, "userId" | "email" | "workspaceId" | "role" | "via">;

/** @param held in the workspace's sources: accounts and groups, as `listHeldPrincipals` finds them */
export function createIdentity(facts: IdentityFacts, held: readonly Principal[] = []): Identity {
  const own = [workspaceMembers(facts.workspaceId), workspaceUser(facts.workspaceId, facts.userId), anyone];
  const principals = [...own, ...held];
  return { ...facts, principals, principalKeys: new Set(principals.map(principalKey)) };
}

/** With what the person holds in the sources now: who leaves a group there is out with the next request. */
export async function loadIdentity(db: Database, facts: IdentityFacts): Promise<Identity> {
  return createIdentity(facts, await listHeldPrincipals({ db, workspaceId: facts.workspaceId }, facts.email));
}
