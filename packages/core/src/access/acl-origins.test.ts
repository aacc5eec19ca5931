import { hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  digestOrigins,
  inheritFrom,
  sourceAclFingerprint,
  splitOrigins,
  type SourceAcl,
  type SourceGrant,
} from "./acl-origins.ts";
import { aclFingerprint, principalKey, type Principal } from "./acl.ts";
import { aclOfSource } from "./source-principals.ts";

const group = (id: string): Principal => ({ source: "smb", tenant: "files", kind: "group", id });
const from = (inheritedFrom: string, id: string): SourceGrant => ({ ...group(id), inheritedFrom });
const finance = principalKey(group("finance"));

describe("where a grant comes from", () => {
  it("is kept apart from the grant, so that equal audiences stay equal ACLs", () => {
    const one = splitOrigins({ allow: [from("/Reports", "finance"), group("staff")], deny: [from("/", "guests")] });
    const other = splitOrigins({ allow: [group("finance"), from("/Plans", "staff")], deny: [group("guests")] });
    expect(one.acl).toEqual({ allow: [group("finance"), group("staff")], deny: [group("guests")] });
    expect(other.acl).toEqual(one.acl);
    expect(one.origins).toEqual({
      allow: { [finance]: "/Reports" },
      deny: { [principalKey(group("guests"))]: "/" },
    });
  });

  it("is nowhere where the document itself names the principal as well, and the first of several containers else", () => {
    for (const allow of [
      [from("/Reports", "finance"), group("finance")],
      [group("finance"), from("/Reports", "finance")],
    ])
      expect(splitOrigins({ allow, deny: [] }).origins).toBeNull();
    const twice = [from("/Reports", "finance"), from("/", "finance")];
    expect(splitOrigins({ allow: twice, deny: [] }).origins?.allow).toEqual({ [finance]: "/Reports" });
  });

  it("changes what a sync compares, whose value stays what it was where nothing is inherited", () => {
    const own = { allow: [group("finance"), group("staff")], deny: [group("guests")] };
    expect(sourceAclFingerprint(own)).toBe(aclFingerprint(own));
    const inherited = (container: string) => sourceAclFingerprint(inheritFrom(container, own));
    expect(new Set([aclFingerprint(own), inherited("/a"), inherited("/b")]).size).toBe(3);
    const turned = { allow: own.allow.toReversed(), deny: own.deny };
    expect(sourceAclFingerprint(inheritFrom("/a", turned))).toBe(inherited("/a"));
  });

  it("stays the container's own above it when it is passed on", () => {
    const above = { allow: [from("/", "staff"), group("finance")], deny: [] };
    expect(inheritFrom("/Reports", above).allow).toEqual([from("/", "staff"), from("/Reports", "finance")]);
  });
});

describe("what closes a document to some whom it would admit itself", () => {
  const acl = { allow: [group("finance")], deny: [] };
  const closed = [{ container: "/Reports", to: [group("staff")] }];

  it("is kept beside the ACL, which stays that of any document with the same readers", () => {
    const split = splitOrigins({ ...acl, closed: [{ container: "/Reports", to: [from("/", "staff")] }] });
    expect(split).toEqual({ acl, origins: { allow: {}, deny: {}, closed } });
    expect(splitOrigins({ ...acl, closed: [] })).toEqual({ acl, origins: null });
  });

  it("has a digest of its own, which is the same once the principals are the source's", () => {
    const digest = (given: SourceAcl) => digestOrigins(given, (text) => hash("sha256", text));
    const told = { allow: [from("/Reports", "finance"), group("staff")], deny: [from("/", "guests")], closed };
    expect(digest(acl)).toBeNull();
    expect(digest({ ...told, allow: told.allow.toReversed() })).toBe(digest(told));
    expect(digest(aclOfSource(told, "7"))).toBe(digest(told));
    const others = [
      { ...told, closed: [] },
      { ...told, deny: [from("/Plans", "guests")] },
      inheritFrom("/Plans", told),
    ];
    expect(new Set([told, ...others].map(digest)).size).toBe(4);
  });

  it("changes what a sync compares, and goes along with what is passed on", () => {
    expect(sourceAclFingerprint({ ...acl, closed })).not.toBe(sourceAclFingerprint(acl));
    expect(sourceAclFingerprint({ ...acl, closed: [] })).toBe(sourceAclFingerprint(acl));
    expect(inheritFrom("/", { ...acl, closed }).closed).toEqual(closed);
  });
});
