import { anyone, type Principal } from "@anneal/core/access/acl";
import { describe, expect, it } from "vitest";
import type { DrivePermission } from "./drive-api.ts";
import { aclOfPermissions, googlePrincipal, insidersOf, type PermissionRules } from "./drive-permissions.ts";

const rules: PermissionRules = {
  tenant: "corp.example",
  linkSharing: "everyone",
  nowMs: Date.parse("2026-06-01T00:00:00Z"),
  restrictions: {},
};
const ann: Principal = googlePrincipal("corp.example", "user", "ann@corp.example");
const annReads: DrivePermission = { type: "user", role: "reader", emailAddress: "Ann@Corp.Example" };
const allowed = (permission: DrivePermission, changes: Partial<PermissionRules> = {}) =>
  aclOfPermissions([permission], {}, { ...rules, ...changes }).allow;

describe("who a Drive permission lets read", () => {
  it("is the person, group or domain that it names, in whatever case the address is written", () => {
    expect(allowed(annReads)).toEqual([ann]);
    expect(allowed({ type: "group", role: "writer", emailAddress: "Finance@corp.example" })).toEqual([
      googlePrincipal("corp.example", "group", "finance@corp.example"),
    ]);
    expect(allowed({ type: "domain", role: "reader", domain: "corp.example", allowFileDiscovery: true })).toEqual([
      googlePrincipal("corp.example", "domain", "corp.example"),
    ]);
    expect(allowed({ type: "anyone", role: "reader", allowFileDiscovery: true })).toEqual([anyone]);
  });

  it("is nobody when the account was deleted, the time is over, or the permission is for a view of the file alone", () => {
    expect(allowed({ ...annReads, deleted: true })).toEqual([]);
    expect(allowed({ ...annReads, expirationTime: "2026-05-31T23:59:59Z" })).toEqual([]);
    expect(allowed({ ...annReads, expirationTime: "some day" })).toEqual([]);
    expect(allowed({ ...annReads, expirationTime: "2026-06-02T00:00:00Z" })).toEqual([ann]);
    expect(allowed({ ...annReads, view: "published" })).toEqual([]);
    expect(allowed({ ...annReads, view: "metadata" })).toEqual([]);
  });

  it("is nobody for a role or a kind of grantee that is not known, or one without an address", () => {
    expect(allowed({ ...annReads, role: "previewer" })).toEqual([]);
    expect(allowed({ ...annReads, type: "device" })).toEqual([]);
    expect(allowed({ type: "user", role: "owner" })).toEqual([]);
    expect(allowed({ type: "domain", role: "reader" })).toEqual([]);
  });

  it("leaves out those who need the link where the source says so, and keeps what can be searched for", () => {
    const byLink: DrivePermission = { type: "anyone", role: "reader", allowFileDiscovery: false };
    const inDomain: DrivePermission = { type: "domain", role: "reader", domain: "corp.example" };
    expect(allowed(byLink)).toEqual([anyone]);
    expect(allowed(byLink, { linkSharing: "nobody" })).toEqual([]);
    expect(allowed(inDomain, { linkSharing: "nobody" })).toEqual([]);
    expect(allowed({ ...byLink, allowFileDiscovery: true }, { linkSharing: "nobody" })).toEqual([anyone]);
  });

  it("is none but a member in a shared drive that is for its members, whatever was granted before it was", () => {
    const detailed = (permissionType: string): DrivePermission => ({
      ...annReads,
      permissionDetails: [{ permissionType }],
    });
    const forMembers = { restrictions: { driveMembersOnly: true } };
    expect(allowed(detailed("member"), forMembers)).toEqual([ann]);
    for (const permission of [detailed("file"), annReads]) expect(allowed(permission, forMembers)).toEqual([]);
    expect(allowed({ type: "anyone", role: "reader" }, forMembers)).toEqual([]);
    // With limited access a member is named for the view of the name alone, and again where the folder is shared with them.
    const named = [{ ...detailed("member"), view: "metadata" }, detailed("file")];
    expect(aclOfPermissions(named, {}, { ...rules, ...forMembers }).allow).toEqual([ann]);
  });

  it("is nobody from elsewhere in a shared drive that is for its domain", () => {
    const forDomain = { restrictions: { domainUsersOnly: true } };
    expect(allowed(annReads, forDomain)).toEqual([ann]);
    for (const type of ["user", "group"] as const) {
      const given = { type, role: "reader", emailAddress: "finance@partner.example" };
      const principal = googlePrincipal("corp.example", type, "finance@partner.example");
      expect(allowed(given, forDomain)).toEqual([insidersOf(principal)]);
    }
    expect(allowed({ type: "anyone", role: "reader", allowFileDiscovery: true }, forDomain)).toEqual([]);
  });

  it("takes nothing from above where inheriting is off, but for owners and organizers and what was granted there", () => {
    const inherited = { permissionDetails: [{ inherited: true }] };
    const limited = { inheritedPermissionsDisabled: true };
    const readersOf = (permission: DrivePermission) => aclOfPermissions([permission], limited, rules).allow;
    expect(readersOf({ ...annReads, ...inherited })).toEqual([]);
    expect(readersOf({ ...annReads, ...inherited, role: "organizer" })).toEqual([ann]);
    expect(readersOf({ ...annReads, permissionDetails: [{ inherited: true }, { inherited: false }] })).toEqual([ann]);
    expect(readersOf(annReads)).toEqual([ann]);
  });
});
