import { describe, expect, it } from "vitest";
import type { GraphUser } from "./graph-schemas.ts";
import { addressesOf, tellsWhoIsEnabled } from "./read-directory.ts";

const domains = new Set(["contoso.example"]);
const ann: GraphUser = {
  id: "1",
  userPrincipalName: "Ann@contoso.example",
  mail: "ann@contoso.example",
  proxyAddresses: [
    "SMTP:ann@contoso.example",
    "smtp:a.smith@contoso.example",
    "X500:/o=Contoso/cn=ann",
    "SIP:ann@contoso.example",
  ],
  userType: "Member",
  accountEnabled: true,
};

describe("addressesOf", () => {
  it("gives each mail address once, in small letters, and no other kind of address", () => {
    expect(addressesOf(ann, domains)).toEqual(["ann@contoso.example", "a.smith@contoso.example"]);
  });

  it("leaves out an address of a domain that the tenant has not verified", () => {
    const foreign = { ...ann, mail: "boss@victim.example", proxyAddresses: ["SMTP:boss@victim.example"] };
    expect(addressesOf(foreign, domains)).toEqual(["ann@contoso.example"]);
    expect(
      addressesOf({ ...ann, userPrincipalName: "ann@sub.contoso.example", mail: null, proxyAddresses: null }, domains),
    ).toEqual([]);
  });

  it("lets neither guests nor disabled accounts speak for an address", () => {
    expect(addressesOf({ ...ann, userType: "Guest" }, domains)).toEqual([]);
    expect(
      addressesOf({ ...ann, userPrincipalName: "a_b.example#EXT#@contoso.example", userType: null }, domains),
    ).toEqual([]);
    expect(addressesOf({ ...ann, accountEnabled: false }, domains)).toEqual([]);
  });

  it("takes an account of which it is not told that it is enabled for a disabled one", () => {
    const { accountEnabled: _, ...unknown } = ann;
    expect(addressesOf(unknown, domains)).toEqual([]);
    expect(addressesOf({ ...ann, accountEnabled: null }, domains)).toEqual([]);
  });
});

describe("tellsWhoIsEnabled", () => {
  it("believes a listing only where every row says it, and none that is empty", () => {
    const disabled = { ...ann, id: "2", accountEnabled: false };
    expect(tellsWhoIsEnabled([ann, disabled])).toBe(true);
    expect(tellsWhoIsEnabled([ann, disabled, { id: "3" }])).toBe(false);
    expect(tellsWhoIsEnabled([ann, { ...ann, accountEnabled: null }])).toBe(false);
    expect(tellsWhoIsEnabled([])).toBe(false);
  });
});
