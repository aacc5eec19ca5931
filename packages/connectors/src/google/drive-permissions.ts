import { anyone, type Principal } from "@anneal/core/access/acl";
import type { SourceAcl, SourceGrant } from "@anneal/core/access/acl-origins";
import type { DriveFile, DrivePermission, DriveRestrictions } from "./drive-api.ts";

/** Every role that lets its holder read the content. One that Google adds later counts for nothing until it is known. */
const readingRoles = new Set(["owner", "organizer", "fileOrganizer", "writer", "commenter", "reader"]);
/** Limited access does not shut these out. */
const unlimitedRoles = new Set(["owner", "organizer"]);

export type PermissionRules = {
  tenant: string;
  linkSharing: "everyone" | "nobody";
  nowMs: number;
  /**
   * Of the shared drive that the item is in. Drive keeps and lists what was granted before they were set, though it lets nobody
   * in by it any more ("Control access to files and folders in shared drives").
   */
  restrictions: DriveRestrictions;
};

/** People and groups are named by the address that Drive vouches for: its own ids differ from the Directory's. */
export function googlePrincipal(tenant: string, kind: Principal["kind"], id: string): Principal {
  return { source: "gdrive", tenant, kind, id: id.toLowerCase() };
}

/**
 * Who of a person or a group belongs to the Workspace, as a group of its own: only the directory tells who in a group is from
 * elsewhere, and which other domains are the Workspace's. Somebody of the domain that it is named by is themselves.
 */
export function insidersOf(principal: Principal): Principal {
  const { tenant, kind, id } = principal;
  if (kind === "user" && id.endsWith(`@${tenant}`)) return principal;
  return googlePrincipal(tenant, "group", `insiders:${kind}:${id}`);
}

/**
 * Who may read a file, from its effective permissions. Drive knows no denial.
 * @param item the file or folder that they were listed of
 * @param nameOf the names of the folders and drives that some are inherited from, by id
 */
export function aclOfPermissions(
  permissions: readonly DrivePermission[],
  item: Pick<DriveFile, "inheritedPermissionsDisabled">,
  rules: PermissionRules,
  nameOf: ReadonlyMap<string, string> = new Map(),
): SourceAcl {
  const isMember = membersIn(permissions);
  const allow = permissions.flatMap((permission): SourceGrant[] => {
    const counts =
      readingRoles.has(permission.role) &&
      permission.deleted !== true &&
      // Such a permission is for a published page, or for the name alone, and not for the file.
      permission.view === undefined &&
      !hasExpired(permission, rules.nowMs) &&
      (rules.restrictions.driveMembersOnly !== true || isMember(permission)) &&
      !isCutOff(permission, item);
    const principal = counts ? principalOf(permission, rules) : null;
    if (principal === null) return [];
    const inheritedFrom = nameOf.get(originOf(permission) ?? "");
    return [inheritedFrom === undefined ? principal : { ...principal, inheritedFrom }];
  });
  return { allow, deny: [] };
}

/** By whom they are given to: a member who is given something on a file as well may be named once or twice. */
function membersIn(permissions: readonly DrivePermission[]): (permission: DrivePermission) => boolean {
  const nameOf = ({ type, emailAddress, domain }: DrivePermission) => `${type} ${emailAddress ?? domain}`.toLowerCase();
  const members = permissions.filter(({ permissionDetails = [] }) =>
    permissionDetails.some(({ permissionType }) => permissionType === "member"),
  );
  const names = new Set(members.map(nameOf));
  return (permission) => names.has(nameOf(permission));
}

function principalOf(
  permission: DrivePermission,
  { tenant, linkSharing, restrictions }: PermissionRules,
): Principal | null {
  const { type, emailAddress, domain } = permission;
  const insidersOnly = restrictions.domainUsersOnly === true;
  const byLinkOnly = permission.allowFileDiscovery !== true;
  switch (type) {
    case "user":
    case "group":
      if (!emailAddress) return null;
      return insidersOnly
        ? insidersOf(googlePrincipal(tenant, type, emailAddress))
        : googlePrincipal(tenant, type, emailAddress);
    case "domain":
      return domain && (!byLinkOnly || linkSharing === "everyone") ? googlePrincipal(tenant, "domain", domain) : null;
    case "anyone":
      return !insidersOnly && (!byLinkOnly || linkSharing === "everyone") ? anyone : null;
    default:
      return null;
  }
}

/** The id of what all of a permission is inherited from; null where a part of it is the item's own. */
export function originOf({ permissionDetails = [] }: DrivePermission): string | null {
  if (permissionDetails.some(({ inherited }) => inherited !== true)) return null;
  return permissionDetails.find(({ inheritedFrom }) => inheritedFrom !== undefined)?.inheritedFrom ?? null;
}

function hasExpired({ expirationTime }: DrivePermission, nowMs: number): boolean {
  // A time that cannot be read has passed.
  return expirationTime !== undefined && !(Date.parse(expirationTime) > nowMs);
}

/** Inherited only, where the item takes no inherited permissions. */
function isCutOff(permission: DrivePermission, item: Pick<DriveFile, "inheritedPermissionsDisabled">): boolean {
  const limited = item.inheritedPermissionsDisabled === true || permission.inheritedPermissionsDisabled === true;
  if (!limited || unlimitedRoles.has(permission.role)) return false;
  const details = permission.permissionDetails ?? [];
  return details.length > 0 && details.every((detail) => detail.inherited === true);
}
