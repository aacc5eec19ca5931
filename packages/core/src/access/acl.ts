import { z } from "zod";

/**
 * Who may read a document. Principals are typed, so that two tenants' groups of the same name stay two groups.
 * Deny wins over allow; an ACL that is missing or empty admits nobody.
 */
export const principalSchema = z.object({
  /** The system that vouches for the identity: "anneal" for our own users, else a source kind such as "s3". */
  source: z.string().min(1),
  /** The tenant within that system; a workspace id for "anneal". */
  tenant: z.string(),
  kind: z.enum(["user", "group", "domain", "public"]),
  id: z.string(),
});
export type Principal = z.infer<typeof principalSchema>;

export const aclSchema = z.object({ allow: z.array(principalSchema), deny: z.array(principalSchema) });
export type Acl = z.infer<typeof aclSchema>;

/** The ACL of a document nobody has been granted: the value to fall back to whenever an ACL cannot be known. */
export const nobody: Acl = { allow: [], deny: [] };

/** Everyone in the workspace: the default of a folder that carries no permissions of its own. */
export function workspaceMembers(workspaceId: string): Principal {
  return { source: "anneal", tenant: workspaceId, kind: "domain", id: "members" };
}

export function workspaceUser(workspaceId: string, userId: string): Principal {
  return { source: "anneal", tenant: workspaceId, kind: "user", id: userId };
}

/** Everyone who may use the portal at all: what sources call public, or shared with anyone who has the link. */
export const anyone: Principal = { source: "anneal", tenant: "", kind: "public", id: "anyone" };

/** One stable string per principal, used as the keyword in the vector index's permission filter. */
export function principalKey(principal: Principal): string {
  return [principal.source, principal.tenant, principal.kind, principal.id].map(encode).join(":");
}

/** Half of a character, as a name that was cut off may end in, has no encoding; it is told from every other text. */
function encode(text: string): string {
  if (text.isWellFormed()) return encodeURIComponent(text);
  const encodeOne = (character: string) =>
    character.isWellFormed() ? encodeURIComponent(character) : `%u${character.charCodeAt(0).toString(16)}`;
  return [...text].map(encodeOne).join("");
}

export function aclKeys(acl: Acl): { allow: string[]; deny: string[] } {
  const keys = (principals: Principal[]) => [...new Set(principals.map(principalKey))].sort();
  return { allow: keys(acl.allow), deny: keys(acl.deny) };
}

/** Two ACLs with the same audience have the same string, whatever the order of their principals. */
export function aclFingerprint(acl: Acl): string {
  return JSON.stringify(aclKeys(acl));
}

/** True when someone holding `holderKeys` (from `principalKey`) may read what `acl` protects. */
export function mayRead(acl: Acl | null | undefined, holderKeys: ReadonlySet<string>): boolean {
  if (!acl) return false;
  const { allow, deny } = aclKeys(acl);
  return !deny.some((key) => holderKeys.has(key)) && allow.some((key) => holderKeys.has(key));
}
