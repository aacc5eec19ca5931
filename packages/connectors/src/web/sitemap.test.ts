import { describe, expect, it } from "vitest";
import { retryAfterMs } from "./site-client.ts";
import { parseSitemap } from "./sitemap.ts";

const parse = (text: string, chunkBytes = 7) =>
  parseSitemap(
    (async function* () {
      const bytes = Buffer.from(text);
      for (let start = 0; start < bytes.length; start += chunkBytes) yield bytes.subarray(start, start + chunkBytes);
    })(),
    "https://example.org/sitemap.xml",
  );

describe("parseSitemap", () => {
  it("reads pages and sitemaps in any chunking, and ignores the loc of an image", async () => {
    const xml = `<?xml version="1.0"?><s:urlset xmlns:s="urn:s" xmlns:i="urn:i">
      <s:url><s:loc><![CDATA[https://example.org/ü]]></s:loc><i:image><i:loc>https://example.org/no</i:loc></i:image></s:url>
      <s:url><s:loc>https://example.org/?a=1&amp;b=2</s:loc></s:url></s:urlset>`;
    for (const size of [1, 7, 10_000]) {
      expect((await parse(xml, size)).pages).toEqual(["https://example.org/ü", "https://example.org/?a=1&b=2"]);
    }
    const index = "<sitemapindex><sitemap><loc>https://example.org/b.xml</loc></sitemap></sitemapindex>";
    expect((await parse(index)).sitemaps).toEqual(["https://example.org/b.xml"]);
  });

  it("reads the plain form, and nothing from nothing", async () => {
    expect((await parse("https://example.org/a\r\nnot one\nhttps://example.org/b")).pages).toHaveLength(2);
    expect(await parse("")).toEqual({ pages: [], sitemaps: [] });
  });

  it("refuses broken XML and entity bombs", async () => {
    const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>`;
    await expect(parse(bomb)).rejects.toMatchObject({ code: "DOCUMENT_DAMAGED" });
    await expect(parse("<urlset><url></urlset>")).rejects.toMatchObject({ code: "DOCUMENT_DAMAGED" });
  });
});

describe("retryAfterMs", () => {
  it("reads seconds and dates, and nothing else", () => {
    const now = Date.parse("2026-01-01T00:00:00Z");
    expect(retryAfterMs("3", now)).toBe(3000);
    expect(retryAfterMs("Thu, 01 Jan 2026 00:00:05 GMT", now)).toBe(5000);
    expect(retryAfterMs("Wed, 31 Dec 2025 00:00:00 GMT", now)).toBe(0);
    expect(retryAfterMs("soon", now)).toBeNull();
    expect(retryAfterMs(null, now)).toBeNull();
  });
});
