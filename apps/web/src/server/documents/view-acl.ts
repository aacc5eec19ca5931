import { principalKey, type Acl, type Principal } from "@anneal/core/access/acl";
import type { AclOrigins } from "@anneal/core/access/acl-origins";
import { listMembers } from "@anneal/db/queries/access";
import { listPrincipalNames } from "@anneal/db/queries/directory";
import type { MemberContext } from "#server/context.ts";
import { describePrincipal, isReadableId } from "#lib/principal-words.ts";

/** One line of who may read, or may not. */
export type ReaderView = {
  kind: Principal["kind"];
  /** "anneal" for what the portal itself gives. */
  source: string;
  words: string;
  /** How many of the ACL's these words stand for. */
  count: number;
  /** For administrators: whom exactly, and the container that the document has it from. */
  principal: Principal | null;
  inheritedFrom: string | null;
};
export type AclView = Record<keyof Acl, ReaderView[]> & {
  /** For administrators: the containers that do not let some through to it whom its own permissions admit, outermost first. */
  closed: { container: string; to: ReaderView[] }[];
};

/**
 * Who may read a document, in words. An administrator is told by which name the workspace's directory knows whom. Others
 * are told which of these are they themselves and the groups that they are in, and of anybody else nothing but what an id
 * says by itself.
 */
export async function viewAcl(
  { scope, identity }: Pick<MemberContext, "scope" | "identity">,
  acl: Acl,
  origins: AclOrigins | null,
): Promise<AclView> {
  const principals = [...acl.allow, ...acl.deny];
  if (identity.role !== "admin") {
    const own = principals.filter((each) => identity.principalKeys.has(principalKey(each)));
    const names = await listPrincipalNames(scope, own);
    const isOwn = new Set(own.map(principalKey));
    const view = (list: Principal[]) =>
      together(
        list.map((each) => {
          const key = principalKey(each);
          return asReader(each, isOwn.has(key) ? nameOwn(each, names.get(key)) : undefined);
        }),
      );
    return { allow: view(acl.allow), deny: view(acl.deny), closed: [] };
  }
  const closings = origins?.closed ?? [];
  const [names, members] = await Promise.all([
    listPrincipalNames(scope, [...principals, ...closings.flatMap(({ to }) => to)]),
    listMembers(scope),
  ]);
  const emails = new Map(members.map(({ userId, email }) => [userId, email]));
  const nameOf = (principal: Principal): ReaderView => {
    const { kind, source } = principal;
    const name = names.get(principalKey(principal));
    const words = source === "anneal" ? nameMember(principal, emails) : nameInSource(principal, name);
    return { kind, source, words, count: 1, principal, inheritedFrom: null };
  };
  const view = (list: keyof Acl) =>
    acl[list].map((principal) => ({
      ...nameOf(principal),
      inheritedFrom: origins?.[list][principalKey(principal)] ?? null,
    }));
  const closed = closings.map(({ container, to }) => ({ container, to: to.map(nameOf) }));
  return { allow: view("allow"), deny: view("deny"), closed };
}

function nameMember(principal: Principal, emails: ReadonlyMap<string, string>): string {
  if (principal.kind !== "user") return describePrincipal(principal);
  return emails.get(principal.id) ?? "Somebody who is no member any more";
}

function nameInSource(principal: Principal, name: string | undefined): string {
  const words = describePrincipal(principal, name);
  return name !== undefined || isReadableId(principal.id) ? words : `${words} of unknown name (${principal.id})`;
}

function asReader(principal: Principal, own: string | undefined): ReaderView {
  const { kind, source } = principal;
  return { kind, source, words: describePrincipal(principal, own), count: 1, principal: null, inheritedFrom: null };
}

/** Undefined where its id says it by itself. */
function nameOwn({ kind, id }: Principal, name: string | undefined): string | undefined {
  if (kind === "group" && name !== undefined) return `${name}, which you are in`;
  if (isReadableId(id)) return undefined;
  return { user: "You", group: "A group that you are in", domain: undefined, public: undefined }[kind];
}

/** What reads the same is one line with a count. */
function together(readers: ReaderView[]): ReaderView[] {
  const lines = Map.groupBy(readers, ({ source, words }) => JSON.stringify([source, words]));
  return [...lines.values()].map((same) => ({ ...same[0]!, count: same.length }));
}
