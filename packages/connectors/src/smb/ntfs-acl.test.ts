import type { Principal } from "@anneal/core/access/acl";
import { describe, expect, it } from "vitest";
import { descriptorBytes, fullControl, type Ace } from "../../conformance/descriptor-bytes.ts";
import { givenIn } from "./given-above.ts";
import { aclOfDescriptor, type AclReading } from "./ntfs-acl.ts";
import { letsNobodyThrough, openPassage, passThrough } from "./passage.ts";
import { parseSecurityDescriptor } from "./security-descriptor.ts";

const principalOf = (sid: string): Principal => ({ source: "smb", tenant: "files", kind: "group", id: sid });
const ann = "S-1-5-21-1-2-3-1001";
const bob = "S-1-5-21-1-2-3-1002";
const finance = "S-1-5-21-1-2-3-2001";
const everyone = "S-1-1-0";

const writeOnly = 0x0012_0116;

const read = (aces: Ace[] | null, owner = bob, reading: AclReading = {}) => {
  const { allow, deny } = aclOfDescriptor(descriptorBytes(aces, owner), principalOf, reading);
  return { allow: allow.map(({ id }) => id), deny: deny.map(({ id }) => id) };
};

/** As a folder below has them: inherited, and for what is in it. */
const handedDown = (aces: readonly Ace[]) =>
  parseSecurityDescriptor(
    descriptorBytes(
      aces.map((ace) => ({ ...ace, flags: (ace.flags ?? 0) | 0x13 })),
      bob,
    ),
  );

describe("aclOfDescriptor", () => {
  it("allows whom an entry lets read, and not whom it only lets write", () => {
    expect(
      read([
        { type: 0, sid: ann, mask: fullControl },
        { type: 0, sid: finance },
        { type: 0, sid: bob, mask: writeOnly },
        { type: 0, sid: everyone, mask: 0x8000_0000 },
      ]),
    ).toEqual({ allow: [ann, finance, everyone], deny: [] });
  });

  it("denies whom an entry keeps from reading, before or after others are allowed", () => {
    expect(
      read([
        { type: 1, sid: bob },
        { type: 0, sid: finance },
        { type: 1, sid: ann, flags: 0x10 },
      ]),
    ).toEqual({ allow: [finance], deny: [bob, ann] });
  });

  it("lets the first entry for one SID decide, as an explicit one stands before an inherited one", () => {
    expect(
      read([
        { type: 0, sid: ann },
        { type: 1, sid: ann, flags: 0x10 },
      ]),
    ).toEqual({ allow: [ann], deny: [] });
  });

  it("tells on which folder an inherited entry was given, and of an explicit one nothing", () => {
    const aces = [
      { type: 0, sid: ann },
      { type: 0, sid: finance, flags: 0x10 },
      { type: 1, sid: bob, flags: 0x10 },
      { type: 0, sid: ann, flags: 0x10 },
    ];
    const inheritedFrom = "/Reports";
    const reports = parseSecurityDescriptor(
      descriptorBytes(
        aces.map(({ type, sid }) => ({ type, sid, flags: 3 })),
        bob,
      ),
    );
    const above = givenIn("/Reports/2026", handedDown(aces), givenIn(inheritedFrom, reports, null));
    expect(aclOfDescriptor(descriptorBytes(aces, bob), principalOf, { above })).toEqual({
      allow: [principalOf(ann), { ...principalOf(finance), inheritedFrom }],
      deny: [{ ...principalOf(bob), inheritedFrom }],
    });
    expect(aclOfDescriptor(descriptorBytes(aces, bob), principalOf).allow).toEqual([ann, finance].map(principalOf));
  });

  it("tells of what an owner inherits by the entry for whoever makes a file", () => {
    const above = givenIn("/Drafts", handedDown([{ type: 0, sid: "S-1-3-0", flags: 0x08 }]), null);
    const aces = [{ type: 0, sid: bob, flags: 0x10 }];
    const of = (owner: string) => aclOfDescriptor(descriptorBytes(aces, owner), principalOf, { above }).allow;
    expect(of(bob)).toEqual([{ ...principalOf(bob), inheritedFrom: "/Drafts" }]);
    expect(of(ann)).toEqual([principalOf(bob)]);
  });

  it("passes over entries that are only handed down", () => {
    expect(read([{ type: 0, sid: everyone, flags: 0x0b }])).toEqual({ allow: [], deny: [] });
  });

  it("does not take the owner for a reader, unless an entry for the owner says so", () => {
    expect(read([{ type: 0, sid: ann }], bob).allow).toEqual([ann]);
    expect(read([{ type: 0, sid: "S-1-3-4" }], bob).allow).toEqual([bob]);
  });

  it("admits nobody where the owner is denied and nobody tells who that is", () => {
    const withoutOwner = (type: number) => {
      const aces = [
        { type, sid: "S-1-3-4" },
        { type: 0, sid: ann },
      ];
      const bytes = Buffer.from(descriptorBytes(aces, bob));
      bytes.writeUInt32LE(0, 4);
      return aclOfDescriptor(bytes, principalOf).allow.map(({ id }) => id);
    };
    expect(withoutOwner(1)).toEqual([]);
    expect(withoutOwner(0)).toEqual([ann]);
  });

  it("lets a condition that it cannot evaluate deny, and never allow", () => {
    expect(
      read([
        { type: 0x09, sid: everyone },
        { type: 0x0a, sid: ann },
        { type: 0x05, sid: bob, objectFlags: 1 },
        { type: 0, sid: finance },
      ]),
    ).toEqual({ allow: [finance], deny: [ann] });
  });

  it("admits nobody without a list, with an empty one, or with one that is cut short", () => {
    expect(read(null)).toEqual({ allow: [], deny: [] });
    expect(read([])).toEqual({ allow: [], deny: [] });
    const whole = descriptorBytes(
      [
        { type: 0, sid: ann },
        { type: 1, sid: bob },
      ],
      bob,
    );
    for (let length = 0; length < whole.length; length += 1) {
      expect(aclOfDescriptor(whole.subarray(0, length), principalOf), `${length} bytes`).toEqual({
        allow: [],
        deny: [],
      });
    }
  });

  it("refuses a class that is allowed nothing, where Samba may have made the list from POSIX rights", () => {
    const aces: Ace[] = [
      { type: 0, sid: bob, mask: fullControl },
      { type: 0, sid: finance, mask: 0 },
      { type: 0, sid: everyone },
    ];
    expect(read(aces, bob, { byClass: true })).toEqual({ allow: [bob, everyone], deny: [finance] });
    expect(read(aces)).toEqual({ allow: [bob, everyone], deny: [] });
    // Where others are refused as well, it keeps nobody out whom something else admits.
    const closed = [...aces.slice(0, 2), { type: 0, sid: everyone, mask: 0 }];
    expect(read(closed, bob, { byClass: true })).toEqual({ allow: [bob], deny: [] });
  });
});

describe("passThrough", () => {
  const passing = 0x0012_00a0;
  const through = (aces: Ace[] | null, passage = openPassage) =>
    passThrough("/Reports", aces === null ? null : descriptorBytes(aces, bob), passage, principalOf, false);
  const told = (passage: typeof openPassage) =>
    passage.map(({ acl: { allow, deny } }) => [allow.map(({ id }) => id), deny.map(({ id }) => id)]);

  it("lets through whom an entry lets traverse, and not whom it only lets list", () => {
    const passage = through([
      { type: 1, sid: bob, mask: 0x20 },
      { type: 0, sid: ann, mask: passing },
      { type: 0, sid: finance, mask: 0x2000_0000 },
      { type: 0, sid: everyone },
    ]);
    expect(told(passage)).toEqual([[[ann, finance], [bob]]]);
  });

  it("leaves out folders that let everybody through, and those that say what one above has said", () => {
    const open = through([{ type: 0, sid: everyone, mask: passing }]);
    expect(open).toEqual([]);
    const ofAnn = through([{ type: 0, sid: ann, mask: passing }], open);
    expect(through([{ type: 0, sid: ann, mask: fullControl }], ofAnn)).toBe(ofAnn);
    expect(told(through([{ type: 0, sid: finance, mask: passing }], ofAnn))).toEqual([
      [[ann], []],
      [[finance], []],
    ]);
  });

  it("lets nobody through a folder whose list is not told, or empty", () => {
    expect(letsNobodyThrough(through(null))).toBe(true);
    expect(letsNobodyThrough(through([]))).toBe(true);
    expect(letsNobodyThrough(through([{ type: 0, sid: ann, mask: passing }]))).toBe(false);
  });
});
