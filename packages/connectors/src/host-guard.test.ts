import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assertAllowedHost, guardedLookup, isAllowedAddress, isPrivateHost, refuseHost } from "./host-guard.ts";

describe("isAllowedAddress", () => {
  it.each(["93.184.216.34", "1.1.1.1", "2606:4700::1111"])("lets the public address %s through", (address) => {
    expect(isAllowedAddress(address, false)).toBe(true);
  });

  it.each(["10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "127.9.9.9", "::1", "fc00::1", "100.64.0.1"])(
    "lets the private address %s through only when allowed",
    (address) => {
      expect(isAllowedAddress(address, false)).toBe(false);
      expect(isAllowedAddress(address, true)).toBe(true);
    },
  );

  it.each([
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "fd00:ec2::254%lo",
    "fd20:ce::254%eth0",
    "168.63.129.16",
    "::ffff:168.63.129.16",
    "::7f00:1",
    "fec0::1",
    "100.100.100.200",
    "192.0.0.192",
    "169.254.0.1",
    "fe80::1",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
    "240.0.0.1",
    "198.18.0.1",
    "not an address",
  ])("refuses %s even where private hosts are allowed", (address) => {
    expect(isAllowedAddress(address, true)).toBe(false);
  });

  it("judges an IPv4 address the same when it is mapped into IPv6", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.boolean(), (address, allowPrivate) => {
        expect(isAllowedAddress(`::ffff:${address}`, allowPrivate)).toBe(isAllowedAddress(address, allowPrivate));
      }),
    );
  });
});

describe("isPrivateHost", () => {
  it("knows private hosts by how they are written", () => {
    for (const host of ["localhost", "a.localhost", "127.0.0.1", "[::1]", "10.1.2.3"])
      expect(isPrivateHost(host)).toBe(true);
    for (const host of ["example.org", "8.8.8.8", "localhost.example", "169.254.169.254"]) {
      expect(isPrivateHost(host)).toBe(false);
    }
  });
});

describe("what is advised where an address is refused", () => {
  const opensPrivateHosts = /administrator to switch on “Allow private hosts”/;

  it("names the setting as it is called on every way to it, and no option of one command", () => {
    const { action } = refuseHost("10.0.0.1");
    expect(action).toContain("“Allow private hosts” (allowPrivateHosts=true)");
    expect(action).not.toMatch(/--|loop/);
  });

  it("is to allow private hosts where that helps", () => {
    for (const address of ["10.0.0.1", "::1", "100.64.0.1"])
      expect(refuseHost(address).action).toMatch(opensPrivateHosts);
  });

  it("is nothing that never helps, for metadata services and reserved addresses", () => {
    for (const address of ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "0.0.0.0", "fe80::1"]) {
      const { message, action } = refuseHost(address);
      expect(message).toContain("metadata service");
      expect(action).not.toMatch(opensPrivateHosts);
      expect(() => assertAllowedHost(address, true)).toThrow(message);
    }
  });

  it.each([
    { addresses: ["10.0.0.1"], helps: true },
    { addresses: ["10.0.0.1", "169.254.169.254"], helps: false },
  ])("goes by what a name was resolved to: $addresses", async ({ addresses, helps }) => {
    const lookup = guardedLookup(false, (_, __, answer) =>
      answer(
        null,
        addresses.map((address) => ({ address, family: 4 })),
      ),
    );
    const refused = await new Promise<unknown>((resolve) => lookup("name.example", {}, (error) => resolve(error)));
    expect(refused).toMatchObject({ code: "SOURCE_FORBIDDEN", details: { host: "name.example" } });
    expect(opensPrivateHosts.test((refused as { action: string }).action)).toBe(helps);
  });
});
