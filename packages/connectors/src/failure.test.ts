import { describe, expect, it } from "vitest";
import { tooLarge, unreachable } from "./failure.ts";

it.each([
  [5000, 1000, "is 4.9 KiB large; the limit is 1,000 bytes."],
  [150 * 1024 ** 2, 100 * 1024 ** 2, "is 150 MiB large; the limit is 100 MiB."],
  [2.5 * 1024 ** 3, 100 * 1024 ** 2, "is 2.5 GiB large; the limit is 100 MiB."],
  [1024 ** 2 + 1, 1024 ** 2, "is 1,048,577 bytes large; the limit is 1,048,576 bytes."],
  [null, 1024 ** 2, "is larger than allowed; the limit is 1 MiB."],
])("tells a size of %s bytes and a limit of %i so that they can be compared", (sizeBytes, limitBytes, sentence) => {
  expect(tooLarge("a.pdf", sizeBytes, limitBytes).message).toBe(`"a.pdf" ${sentence}`);
});

describe("a host that does not answer", () => {
  /** As Node throws it, and as fetch and two tried addresses wrap it. */
  const refused = (port: number) =>
    Object.assign(new Error("connect"), { code: "ECONNREFUSED", address: "203.0.113.1", port });
  const wrapped = (port: number) =>
    new TypeError("fetch failed", {
      cause: Object.assign(new AggregateError([refused(port), refused(port)]), { code: "ECONNREFUSED" }),
    });
  const told = (error: Error, place: string) => unreachable(error, place)?.toReport();

  const why = "the connection was refused, so nothing listens there or a firewall is in the way";

  it("is told with its port, once", () => {
    const message = `files.example cannot be reached at port 445: ${why}.`;
    expect(told(refused(445), "files.example")).toMatchObject({ message, details: { code: "ECONNREFUSED" } });
    expect(told(wrapped(443), "api.example")?.message).toBe(`api.example cannot be reached at port 443: ${why}.`);
    for (const place of ["db.example:5432", "http://db.example:5432/"])
      expect(told(refused(5432), place)?.message).toBe(`${place} cannot be reached: ${why}.`);
    expect(told(refused(44), "db.example:443")?.message).toContain("at port 44: ");
  });

  it.each([
    ["ENOTFOUND", "files.example cannot be reached: its name is not known to this machine's DNS."],
    ["EAI_AGAIN", "files.example cannot be reached: this machine's DNS does not answer for its name."],
  ])("says of %s that it is its name", (code, message) => {
    const error = Object.assign(new Error("getaddrinfo"), { code, hostname: "files.example" });
    const report = told(error, "files.example");
    expect(report).toMatchObject({ code: "SOURCE_UNREACHABLE", message, details: { code } });
    expect(report?.action).toMatch(/name.*then try again\.$/);
  });

  it.each(["DEPTH_ZERO_SELF_SIGNED_CERT", "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "CERT_HAS_EXPIRED"])(
    "says of %s that it is the certificate, and what to do about that",
    (code) => {
      const report = told(Object.assign(new Error("tls"), { code }), "files.example");
      expect(report?.message).toContain("its certificate");
      expect(report?.action).toContain("Install a certificate that this machine trusts");
    },
  );

  it("asks nobody to sync what may not be added yet", () => {
    expect(told(refused(445), "files.example")?.action).toMatch(/then try again\.$/);
  });
});
