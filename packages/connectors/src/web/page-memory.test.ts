import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeMemory, digestLink, digestPage, encodeMemory, isSameContent } from "./page-memory.ts";

const digest = { digest: "d".repeat(22), dateless: "e".repeat(22), words: "w".repeat(12), chars: 123_456_789 };

describe("page memory", () => {
  it("gives back what it was given, with links as digests", () => {
    const memory = { ...digest, etag: 'W/"x"', lastModified: null, links: ["https://example.org/a"] };
    expect(decodeMemory(encodeMemory(memory))).toEqual({ ...memory, links: [digestLink("https://example.org/a")] });
  });

  it("never outgrows a fingerprint, and drops the validators with the links that do not fit", () => {
    const validator = fc.option(fc.string({ maxLength: 500 }));
    const links = fc.array(fc.webUrl(), { maxLength: 400 });
    fc.assert(
      fc.property(validator, validator, links, (etag, lastModified, urls) => {
        const encoded = encodeMemory({ ...digest, etag, lastModified, links: urls });
        expect(encoded.length).toBeLessThanOrEqual(2000);
        const decoded = decodeMemory(encoded);
        expect(decoded?.links === null ? decoded.etag : null).toBeNull();
        expect(decoded?.links?.length ?? urls.length).toBe(urls.length);
      }),
      { numRuns: 50 },
    );
  });

  it("takes anything else for a page that is not known", () => {
    for (const fingerprint of [null, "", "{}", "[1]", "12-34", '["d",null,null,null]'])
      expect(decodeMemory(fingerprint)).toBeNull();
  });
});

describe("isSameContent", () => {
  const page = (text: string, day: string) => digestPage("Port", text, new Date(`${day}T12:00:00Z`), "en");

  it("takes a page that shows the day of the request for the same page on another day", () => {
    const before = page("Tides. Friday, November 27, 2026 14:03. High water at noon.", "2026-11-27");
    expect(
      isSameContent(before, page("Tides. Saturday, November 28, 2026 09:41. High water at noon.", "2026-11-28")),
    ).toBe(true);
    expect(
      isSameContent(before, page("Tides. Saturday, November 28, 2026 09:41. High water at one.", "2026-11-28")),
    ).toBe(false);
  });

  it("takes a page that does not change for the same on any day, and another date on it for a change", () => {
    const text = "The fair is on 2026-11-28.";
    expect(isSameContent(page(text, "2026-11-28"), page(text, "2027-03-01"))).toBe(true);
    expect(isSameContent(page(text, "2026-10-01"), page("The fair is on 2026-11-30.", "2026-10-02"))).toBe(false);
  });
});
