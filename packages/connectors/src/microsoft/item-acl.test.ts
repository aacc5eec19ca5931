import { anyone, nobody } from "@anneal/core/access/acl";
import { describe, expect, it } from "vitest";
import type { Graph } from "./graph-client.ts";
import type { IdentitySet, Permission } from "./graph-schemas.ts";
import { aclOfPermissions, type AclRules } from "./item-acl.ts";

const tenantId = "11111111-1111-4111-8111-111111111111";
const ann = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
const finance = "ffffffff-ffff-4fff-8fff-ffffffffffff";
const graph: Pick<Graph, "principal" | "tenantId"> = {
  tenantId,
  principal: (kind, id) => ({ source: "microsoft", tenant: tenantId, kind, id }),
};
const now = new Date("2026-06-01T00:00:00Z");
const rules: AclRules = { siteScope: "site", linkSharing: "everyone", now };
const readersOf = (...permissions: Permission[]) =>
  aclOfPermissions(permissions, graph, rules).allow.map(({ kind, id }) => `${kind} ${id}`);
const granted = (identity: Partial<IdentitySet>, changes: Partial<Permission> = {}): Permission => ({
  roles: ["read"],
  grantedToV2: identity,
  ...changes,
});
const login = (loginName: string) => ({ siteUser: { id: "5", loginName } });

describe("aclOfPermissions", () => {
  it("admits users and groups by their ids", () => {
    expect(readersOf(granted({ user: { id: ann } }), granted({ group: { id: finance } }))).toEqual([
      `user ${ann}`,
      `group ${finance}`,
    ]);
  });

  it("admits nobody where nothing is granted, or to nobody whom it knows", () => {
    expect(aclOfPermissions([], graph, rules)).toEqual(nobody);
    expect(readersOf(granted({}))).toEqual([]);
    expect(readersOf(granted({ user: { id: null } }))).toEqual([]);
    expect(readersOf(granted({ user: { id: "not-an-id" } }))).toEqual([]);
  });

  it("tells which folder a permission is inherited from, and nothing of one that is the item's own", () => {
    const from = (path: string | null | undefined) =>
      aclOfPermissions([granted({ group: { id: finance } }, { inheritedFrom: { path } })], graph, rules).allow;
    const group = graph.principal("group", finance);
    expect(from("/drives/b!1/root:/Reports/2026%20%C3%A4")).toEqual([{ ...group, inheritedFrom: "/Reports/2026 ä" }]);
    expect(from("/drives/b!1/root:/100%")).toEqual([{ ...group, inheritedFrom: "/100%" }]);
    for (const root of ["/drives/b!1/root:", "/drive/root"])
      expect(from(root)).toEqual([{ ...group, inheritedFrom: "/" }]);
    for (const untold of [null, undefined, "/elsewhere"]) expect(from(untold)).toEqual([group]);
  });

  it("tells a group's owners, who have the group's id, from its members", () => {
    const claim = `c:0o.c|federateddirectoryclaimprovider|${finance}`;
    expect(readersOf(granted({ group: { id: finance }, ...login(`${claim}_o`) }))).toEqual([`group ${finance}/owners`]);
    expect(readersOf(granted({ group: { id: finance }, ...login(claim) }))).toEqual([`group ${finance}`]);
  });

  it("keeps the same site group of two sites apart", () => {
    const permission = granted({ siteGroup: { id: "5", loginName: "Members" } });
    const one = aclOfPermissions([permission], graph, { ...rules, siteScope: "one" });
    expect(one.allow).toHaveLength(1);
    expect(aclOfPermissions([permission], graph, { ...rules, siteScope: "two" })).not.toEqual(one);
  });

  it("takes “everyone except external users” for the tenant's own accounts, of this tenant only", () => {
    const all = (tenant: string) => granted(login(`c:0-.f|rolemanager|spo-grid-all-users/${tenant}`));
    expect(readersOf(all(tenantId))).toEqual([`domain ${tenantId}`]);
    expect(readersOf(all(ann))).toEqual([]);
  });

  it("tells the scopes of sharing links apart, and grants nothing for one that it does not know", () => {
    const link = (scope: string | null, changes: Partial<Permission> = {}): Permission => ({
      roles: ["read"],
      link: { scope },
      ...changes,
    });
    expect(aclOfPermissions([link("anonymous")], graph, rules).allow).toEqual([anyone]);
    expect(readersOf(link("anonymous", { hasPassword: true }))).toEqual([]);
    expect(readersOf(link("organization"))).toEqual([`domain ${tenantId}`]);
    expect(readersOf(link("users", { grantedToIdentitiesV2: [{ user: { id: ann } }] as IdentitySet[] }))).toEqual([
      `user ${ann}`,
    ]);
    expect(readersOf(link(null))).toEqual([]);
    for (const scope of ["existingAccess", "galaxy"]) {
      expect(readersOf(link(scope, { grantedToIdentitiesV2: [{ user: { id: ann } }] as IdentitySet[] }))).toEqual([]);
    }
  });

  it("grants nothing by a link that lets people upload alone, or that is of a kind that it does not know", () => {
    const named = { grantedToIdentitiesV2: [{ user: { id: ann } }] as IdentitySet[] };
    const readersBy = (type: string | null, scope: string) =>
      readersOf({ roles: ["write"], link: { scope, type }, ...(scope === "users" ? named : {}) });
    for (const type of ["view", "edit", "review", "blocksDownload", "embed", null]) {
      expect(readersBy(type, "organization"), String(type)).toEqual([`domain ${tenantId}`]);
      expect(readersBy(type, "users"), String(type)).toEqual([`user ${ann}`]);
    }
    for (const type of ["createOnly", "galaxy"]) {
      for (const scope of ["anonymous", "organization", "users"]) expect(readersBy(type, scope), type).toEqual([]);
    }
  });

  it("admits those who are named on a link, and nobody by the link alone, where the source says so", () => {
    const named = { grantedToIdentitiesV2: [{ user: { id: ann } }] as IdentitySet[] };
    const byLink = (scope: string): Permission => ({ roles: ["read"], link: { scope }, ...named });
    const readersBy = (scope: string) =>
      aclOfPermissions([byLink(scope)], graph, { ...rules, linkSharing: "nobody" }).allow.map(({ id }) => id);
    for (const scope of ["anonymous", "organization", "users"]) expect(readersBy(scope)).toEqual([ann]);
    expect(readersOf(byLink("organization"))).toEqual([`domain ${tenantId}`, `user ${ann}`]);
  });

  it("forgets a permission that has expired, and keeps one that never does", () => {
    const until = (expirationDateTime: string) => readersOf(granted({ user: { id: ann } }, { expirationDateTime }));
    expect(until("2026-05-31T23:59:59Z")).toEqual([]);
    expect(until("nonsense")).toEqual([]);
    expect(until("2026-06-02T00:00:00Z")).toEqual([`user ${ann}`]);
    expect(until("0001-01-01T00:00:00Z")).toEqual([`user ${ann}`]);
  });

  it("grants nothing for a role that may not read", () => {
    expect(readersOf(granted({ user: { id: ann } }, { roles: ["sp.limited access"] }))).toEqual([]);
    expect(readersOf(granted({ user: { id: ann } }, { roles: [] }))).toEqual([]);
    expect(readersOf(granted({ user: { id: ann } }, { roles: ["write"] }))).toEqual([`user ${ann}`]);
  });
});
