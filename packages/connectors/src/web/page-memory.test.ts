import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeMemory, digestLink, encodeMemory } from "./page-memory.ts";

describe("page memory", () => {
  it("gives back what it was given, with links as digests", () => {
    const memory = { digest: "d", etag: 'W/"x"', lastModified: null, links: ["https://example.org/a"] };
    expect(decodeMemory(encodeMemory(memory))).toEqual({ ...memory, links: [digestLink("https://example.org/a")] });
  });

  it("never outgrows a fingerprint, and drops the validators with the links that do not fit", () => {
    const validator = fc.option(fc.string({ maxLength: 500 }));
    const links = fc.array(fc.webUrl(), { maxLength: 400 });
    fc.assert(
      fc.property(validator, validator, links, (etag, lastModified, urls) => {
        const encoded = encodeMemory({ digest: "d".repeat(32), etag, lastModified, links: urls });
        expect(encoded.length).toBeLessThanOrEqual(2000);
        const decoded = decodeMemory(encoded);
        expect(decoded?.links === null ? decoded.etag : null).toBeNull();
        expect(decoded?.links?.length ?? urls.length).toBe(urls.length);
      }),
      { numRuns: 50 },
    );
  });

  it("takes anything else for a page that is not known", () => {
    for (const fingerprint of [null, "", "{}", "[1]", "12-34"]) expect(decodeMemory(fingerprint)).toBeNull();
  });
});
