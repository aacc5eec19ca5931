import { mayRead } from "@anneal/core/access/acl";
import { explainAccess, explainingPrincipals, type AccessExplanation } from "@anneal/core/access/explain-access";
import type { Document } from "@anneal/db/queries/documents";
import { listMemberships } from "@anneal/db/queries/directory";
import type { MemberContext } from "#server/context.ts";

/** What keeps a document from an administrator, who sees that it exists; null where nothing does, and for anybody else. */
export async function explainRefusal(
  { scope, identity }: Pick<MemberContext, "scope" | "identity">,
  { acl, aclOrigins }: Pick<Document, "acl" | "aclOrigins">,
): Promise<AccessExplanation | null> {
  const { role, email, principals, principalKeys } = identity;
  if (role !== "admin" || mayRead(acl, principalKeys)) return null;
  const memberships = await listMemberships(scope, [email], explainingPrincipals(acl, aclOrigins));
  return explainAccess(acl, principals, memberships.get(email) ?? [], aclOrigins);
}
