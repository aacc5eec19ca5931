import type { FakeDrive, FakeIdentity, FakeItem, FakePermission, FakeTenant } from "./fake-tenant.ts";

/** What an account sees of a drive: the application sees all of it, an owner of the site as well. */
export type Sight = {
  /** Null shows everything. */
  shows: ((item: FakeItem) => boolean) | null;
  /** "If the caller is not the owner of the item, only the sharing permissions that apply to the caller are returned." */
  permissionsOf(item: FakeItem): FakePermission[];
};

/** @param user a name of `tenant.users`; null for the application itself */
export function sightOf(tenant: FakeTenant, user: string | null): Sight {
  if (user === null || tenant.siteOwners.has(user)) {
    return { shows: null, permissionsOf: (item) => tenant.permissionsOf(item) };
  }
  const admitting = (item: FakeItem) => tenant.permissionsOf(item).filter((each) => admits(tenant, each, user));
  return { shows: (item) => item.kind === "root" || admitting(item).length > 0, permissionsOf: admitting };
}

function admits(tenant: FakeTenant, permission: FakePermission, user: string): boolean {
  if (permission.link?.scope === "anonymous" || permission.link?.scope === "organization") return true;
  const named = [permission.grantedToV2 ?? [], permission.grantedToIdentitiesV2 ?? []].flat();
  return named.some((identity) => isAmong(tenant, identity, user));
}

function isAmong(tenant: FakeTenant, { user: named, group }: FakeIdentity, user: string): boolean {
  const id = tenant.users.get(user)?.id;
  if (named !== undefined) return named.id === id;
  const open = group === undefined ? [] : [group.id];
  const seen = new Set<string>();
  for (let groupId = open.pop(); groupId !== undefined; groupId = open.pop()) {
    if (seen.has(groupId)) continue;
    seen.add(groupId);
    const members = [...tenant.groups.values()].find((each) => each.id === groupId)?.members ?? [];
    if (id !== undefined && members.includes(id)) return true;
    open.push(...members);
  }
  return false;
}

/** The items of a drive that somebody sees. */
export function visibleDrive(drive: FakeDrive, { shows }: Sight): FakeDrive {
  return shows === null ? drive : { ...drive, items: new Map([...drive.items].filter(([, item]) => shows(item))) };
}
