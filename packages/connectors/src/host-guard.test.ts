import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAllowedAddress, isPrivateHost } from "./host-guard.ts";

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
