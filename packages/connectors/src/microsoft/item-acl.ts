import { anyone, nobody, type Principal } from "@anneal/core/access/acl";
import type { SourceAcl, SourceGrant } from "@anneal/core/access/acl-origins";
import type { LinkSharing } from "./config.ts";
import type { Graph } from "./graph-client.ts";
import type { IdentitySet, Permission } from "./graph-schemas.ts";

/**
 * Who may read an item, from its effective permissions: Graph lists what is inherited beside what is the item's own.
 * Graph knows no denials. Whatever is not understood grants nothing.
 */
export function aclOfPermissions(
  permissions: readonly Permission[],
  graph: Pick<Graph, "principal" | "tenantId">,
  rules: AclRules,
): SourceAcl {
  const allow = permissions
    .filter((permission) => lets(permission) && shows(permission) && !isExpired(permission, rules.now))
    .flatMap((permission) => withOrigin(readersOf(permission, graph, rules), permission));
  return allow.length === 0 ? nobody : { allow, deny: [] };
}

/** `siteScope` is the site collection whose site groups the permissions may name. */
export type AclRules = LinkSharing & { siteScope: string; now: Date };

/**
 * When time alone will change who may read: no feed tells of a permission that runs out.
 * @returns milliseconds since 1970; null for never
 */
export function firstEndMs(permissions: readonly Permission[], now: Date): number | null {
  const ends = permissions.flatMap((permission) => {
    const until = permission.expirationDateTime;
    const isLimited = !!until && !until.startsWith("0001-");
    return isLimited && lets(permission) && !isExpired(permission, now) ? [Date.parse(until)] : [];
  });
  return ends.length === 0 ? null : Math.min(...ends);
}

/**
 * What an account is given in its own name, it may read; who else may is for the permissions to say, of which an account
 * that does not own the item sees those alone that concern itself.
 */
export function admitAccount(acl: SourceAcl, account: Principal | undefined): SourceAcl {
  return account === undefined ? acl : { ...acl, allow: [...acl.allow, account] };
}

/**
 * `inheritedFrom` names the folder by its path below the drive's root: "/drives/{id}/root:/Reports/2026", each part
 * encoded ("itemReference resource type"). The root's own permissions are those of the library.
 */
function withOrigin(readers: Principal[], { inheritedFrom }: Permission): SourceGrant[] {
  const [, path] = /\/root:?(\/.*)?$/.exec(inheritedFrom?.path ?? "") ?? ["", null];
  if (path === null) return readers;
  const folder = (path ?? "/").split("/").map(decoded).join("/");
  return readers.map((reader) => ({ ...reader, inheritedFrom: folder }));
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Custom permission levels have names of their own; only those that surely read count. */
const readingRoles = new Set(["read", "write", "owner", "sp.full control", "sp.owner", "sp.member"]);

function lets({ roles }: Permission): boolean {
  return (roles ?? []).some((role) => readingRoles.has(role.toLowerCase()));
}

/**
 * Kinds of links whose holders see what is shared, by "driveItem: createLink". A request for files ("createOnly"), which what
 * lies in its folder inherits, lets people upload and shows them nothing; one of a kind that is not known grants nothing.
 */
const showingLinks = new Set(["view", "review", "edit", "embed", "blocksdownload", "addressbar", "admindefault"]);

function shows({ link }: Permission): boolean {
  return !link?.type || showingLinks.has(link.type.toLowerCase());
}

function isExpired({ expirationDateTime }: Permission, now: Date): boolean {
  // 0001-01-01 is how the service writes "never".
  if (!expirationDateTime || expirationDateTime.startsWith("0001-")) return false;
  const until = Date.parse(expirationDateTime);
  return Number.isNaN(until) || until <= now.getTime();
}

function readersOf(
  permission: Permission,
  graph: Pick<Graph, "principal" | "tenantId">,
  { siteScope, linkSharing }: AclRules,
): Principal[] {
  const identities = [permission.grantedToV2 ?? [], permission.grantedToIdentitiesV2 ?? []].flat();
  const named = identities.flatMap((identity) => principalsOf(identity, graph, siteScope));
  switch (permission.link?.scope) {
    case undefined:
    case null:
    case "users":
      return named;
    case "organization":
      return linkSharing === "everyone" ? [organizationOf(graph), ...named] : named;
    case "anonymous":
      // Who does not know the password does not see it.
      return linkSharing === "everyone" && permission.hasPassword !== true ? [anyone, ...named] : named;
    default:
      // "existingAccess" repeats what others grant; a scope of tomorrow grants nothing today.
      return [];
  }
}

/** Everybody with an account of the tenant's own: its members are listed by the directory, guests are not among them. */
export function organizationOf(graph: Pick<Graph, "principal" | "tenantId">): Principal {
  return graph.principal("domain", graph.tenantId);
}

export function groupOwners(graph: Pick<Graph, "principal">, groupId: string): Principal {
  return graph.principal("group", `${groupId}/owners`);
}

const guid = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const isGuid = new RegExp(`^${guid}$`, "i");
const unifiedGroupClaim = new RegExp(`\\|federateddirectoryclaimprovider\\|(${guid})(_o)?$`, "i");
const securityGroupClaim = new RegExp(`^c:0[a-z]\\.c\\|tenant\\|(${guid})$`, "i");
const allUsersClaim = new RegExp(`\\|rolemanager\\|spo-grid-all-users/(${guid})$`, "i");

function principalsOf(
  identity: IdentitySet,
  graph: Pick<Graph, "principal" | "tenantId">,
  siteScope: string,
): Principal[] {
  const claim = identity.siteUser?.loginName ?? identity.siteGroup?.loginName ?? "";
  const claimed = principalOfClaim(claim, graph);
  // The claim says more than the ids beside it: a group's owners have the group's id too.
  if (claimed !== null) return [claimed];
  const userId = guidOf(identity.user?.id);
  if (userId !== null) return [graph.principal("user", userId)];
  const groupId = guidOf(identity.group?.id);
  if (groupId !== null) return [graph.principal("group", groupId)];
  const siteGroupId = identity.siteGroup?.id;
  return siteGroupId ? [siteGroup(graph, siteScope, siteGroupId)] : [];
}

/** SharePoint's login names of groups; null for a person's, whose id Graph gives. */
export function principalOfClaim(claim: string, graph: Pick<Graph, "principal" | "tenantId">): Principal | null {
  const unified = unifiedGroupClaim.exec(claim);
  if (unified?.[1]) return unified[2] ? groupOwners(graph, unified[1]) : graph.principal("group", unified[1]);
  const security = securityGroupClaim.exec(claim);
  if (security?.[1]) return graph.principal("group", security[1]);
  const allUsers = allUsersClaim.exec(claim);
  if (allUsers?.[1]?.toLowerCase() === graph.tenantId || claim === "c:0(.s|true") return organizationOf(graph);
  return null;
}

/** A SharePoint group: its id counts in its site collection only. */
export function siteGroup(graph: Pick<Graph, "principal">, siteScope: string, id: string): Principal {
  return graph.principal("group", `site/${siteScope}/${id}`);
}

export function guidOf(id: string | null | undefined): string | null {
  return id && isGuid.test(id) ? id : null;
}
