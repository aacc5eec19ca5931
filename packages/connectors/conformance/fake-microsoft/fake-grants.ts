import { randomUUID } from "node:crypto";
import type { FakeIdentity, FakePermission, FakeTenant } from "./fake-tenant.ts";

/** Permissions as the service writes them. */

function grant(identity: FakeIdentity): FakePermission {
  return { id: randomUUID(), roles: ["read"], grantedToV2: identity };
}

export function grantUser(tenant: FakeTenant, name: string): FakePermission {
  const user = tenant.users.get(name);
  if (user === undefined) throw new Error(`there is no user "${name}"`);
  return grant({
    user: { id: user.id, displayName: user.displayName },
    siteUser: { id: "7", loginName: `i:0#.f|membership|${user.userPrincipalName}` },
  });
}

export function grantGroup(tenant: FakeTenant, name: string): FakePermission {
  const { id, displayName } = requireGroup(tenant, name);
  return grant({ group: { id, displayName }, siteUser: { id: "8", loginName: `c:0t.c|tenant|${id}` } });
}

/** To the owners of a Microsoft 365 group alone: Graph gives the group's id, and only the login name tells. */
export function grantGroupOwners(tenant: FakeTenant, name: string): FakePermission {
  const { id, displayName } = requireGroup(tenant, name);
  const loginName = `c:0o.c|federateddirectoryclaimprovider|${id}_o`;
  return grant({ group: { id, displayName: `${displayName} Owners` }, siteUser: { id: "9", loginName } });
}

export function grantSiteGroup(id: string, displayName: string): FakePermission {
  return grant({ siteGroup: { id, displayName, loginName: displayName } });
}

export function grantEverybodyInside(tenantId: string): FakePermission {
  return grant({ siteUser: { id: "4", loginName: `c:0-.f|rolemanager|spo-grid-all-users/${tenantId}` } });
}

export function shareLink(
  scope: string,
  people: FakeIdentity[] = [],
  changes: Partial<FakePermission> = {},
): FakePermission {
  return {
    id: randomUUID(),
    roles: ["read"],
    link: { scope, type: "view" },
    grantedToIdentitiesV2: people,
    ...changes,
  };
}

function requireGroup(tenant: FakeTenant, name: string) {
  const group = tenant.groups.get(name);
  if (group === undefined) throw new Error(`there is no group "${name}"`);
  return group;
}
