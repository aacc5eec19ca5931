import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { AnnealError } from "@anneal/core/errors";
import ipaddr from "ipaddr.js";

/** Cloud metadata services, wherever they hide in ranges that an intranet may use, or among public addresses. */
const metadataAddresses = new Set([
  "169.254.169.254",
  // Alibaba Cloud, Oracle Cloud, and Azure's WireServer, which is a public address that leads to the host.
  "100.100.100.200",
  "192.0.0.192",
  "168.63.129.16",
  // Amazon's metadata and pod identity, Google's metadata.
  "fd00:ec2::254",
  "fd00:ec2::23",
  "fd20:ce::254",
]);

/** What an administrator may open up; link-local, multicast, unspecified and reserved ranges stay shut. */
const privateRanges = new Set(["private", "loopback", "uniqueLocal", "carrierGradeNat"]);

/**
 * The one decision about where a connector may connect, against server-side request forgery. It is made on the
 * address at connect time, so that redirects and names that resolve differently the second time change nothing.
 */
export function isAllowedAddress(address: string, allowPrivateHosts: boolean): boolean {
  if (!ipaddr.isValid(address)) return false;
  // An IPv4 address mapped into IPv6 is judged as what it is.
  const parsed = ipaddr.process(address);
  // The zone of an IPv6 address says through which interface it is reached, not which address it is.
  if (metadataAddresses.has(parsed.toString().replace(/%.*$/, ""))) return false;
  const range = parsed.range();
  // Of IPv6 only 2000::/3 is given out; what else counts as unicast are old ways of writing other networks.
  if (range === "unicast" && parsed.kind() === "ipv6") return parsed.toByteArray()[0]! >> 5 === 1;
  return range === "unicast" || (allowPrivateHosts && privateRanges.has(range));
}

/** True for a host written as a private or loopback address, or as localhost. */
export function isPrivateHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "");
  if (isIP(bare) === 0) return bare === "localhost" || bare.endsWith(".localhost");
  return privateRanges.has(ipaddr.process(bare).range());
}

/** @param addresses what the host was resolved to; left out where nobody knows, or the host is an address itself */
export function refuseHost(host: string, addresses: readonly string[] = [host]): AnnealError {
  const details = { host, code: "HOST_REFUSED" };
  if (addresses.some((address) => isIP(address) !== 0 && !isAllowedAddress(address, true))) {
    const what = "the address of a metadata service, or one that is reserved";
    return new AnnealError("SOURCE_FORBIDDEN", `"${host}" is ${what}; no source may use it.`, {
      action: "No setting opens it: enter another address, or tell whoever runs the service that it leads there.",
      details,
    });
  }
  return new AnnealError("SOURCE_FORBIDDEN", `"${host}" is a private or reserved address, which sources may not use.`, {
    action:
      "Use a public address, or ask an administrator to switch on “Allow private hosts” (allowPrivateHosts=true) for this source.",
    details,
  });
}

/** Throws for a literal address; a name is judged by `guardedLookup` when it is resolved. */
export function assertAllowedHost(host: string, allowPrivateHosts: boolean): void {
  const bare = host.replace(/^\[|\]$/g, "");
  if (isIP(bare) !== 0 && !isAllowedAddress(bare, allowPrivateHosts)) throw refuseHost(bare);
}

/**
 * A `lookup` for net, http and undici. A name with even one refused address is refused whole: a mixed answer is what
 * rebinding looks like.
 */
export function guardedLookup(allowPrivateHosts: boolean, resolve: Resolve = dnsLookup as Resolve): LookupFunction {
  return (host, options, callback) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const first = addresses[0];
      if (first === undefined || addresses.some(({ address }) => !isAllowedAddress(address, allowPrivateHosts))) {
        return callback(refuseHost(host, literals(addresses)), []);
      }
      if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

const literals = (addresses: readonly LookupAddress[]) => addresses.map(({ address }) => address);

export type Resolve = (
  host: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;
