import { describe, expect, it } from "vitest";
import { parseSitemap } from "./parse-sitemap.ts";

describe("parseSitemap", () => {
  it("reads pages and sitemaps, and ignores the loc of an image", () => {
    const xml = `<?xml version="1.0"?><s:urlset xmlns:s="urn:s" xmlns:i="urn:i">
      <s:url><s:loc><![CDATA[https://example.org/ü]]></s:loc><i:image><i:loc>https://example.org/no</i:loc></i:image></s:url>
      <s:url><s:loc>https://example.org/?a=1&amp;b=2</s:loc></s:url></s:urlset>`;
    expect(parseSitemap(xml)?.pages).toEqual(["https://example.org/ü", "https://example.org/?a=1&b=2"]);
    const index = "<sitemapindex><sitemap><loc>https://example.org/b.xml</loc></sitemap></sitemapindex>";
    expect(parseSitemap(index)?.sitemaps).toEqual(["https://example.org/b.xml"]);
  });

  it("reads the plain form, and nothing from nothing", () => {
    expect(parseSitemap("https://example.org/a\r\nnot one\nhttps://example.org/b")?.pages).toHaveLength(2);
    expect(parseSitemap("")).toEqual({ pages: [], sitemaps: [] });
  });

  it("refuses broken XML, entity bombs and what is something else", () => {
    const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>`;
    for (const text of [bomb, "<urlset><url></urlset>", "<error/>", "No such tenant."]) {
      expect(parseSitemap(text), text).toBeNull();
    }
  });
});
