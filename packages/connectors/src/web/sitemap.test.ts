import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { answerOf } from "../../conformance/answer-of.ts";
import { HttpAnswer } from "../http-answer.ts";
import { retryAfterMs, type SiteClient } from "./site-client.ts";
import { siteOf } from "./site-url.ts";
import { loadSitemaps, parseSitemap, sitemapLimits } from "./sitemap.ts";

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

describe("loadSitemaps", () => {
  const origin = "https://example.org";
  const indexOf = (count: number) =>
    `<sitemapindex>${Array.from({ length: count }, (_, index) => `<sitemap><loc>${origin}/${index}.xml</loc></sitemap>`).join("")}</sitemapindex>`;
  const load = async (
    answer: (path: string) => { body?: string; status?: number; type?: string } | undefined,
    { maxUrls = 1000, limits = sitemapLimits, isGuess = false } = {},
  ) => {
    const asked: string[] = [];
    const client = {
      async get(url: string) {
        const path = url.slice(origin.length);
        asked.push(path);
        const { body = "", status = 200, type = "application/xml" } = answer(path) ?? { status: 404 };
        return answerOf(body, { status, headers: { "content-type": type } });
      },
    } as Partial<SiteClient> as SiteClient;
    const mayVisit = (url: string) => !url.endsWith("/unwanted");
    const loader = { client, sites: [siteOf(new URL(origin))], mayVisit, whyNot: () => null };
    return { ...(await loadSitemaps(loader, [{ url: `${origin}/sitemap.xml`, isGuess }], maxUrls, limits)), asked };
  };
  it("is told of a zipped one whose line breaks off, and goes on", async () => {
    const zipped = gzipSync(pagesOf("/a"));
    const body = Readable.from(
      (async function* () {
        yield zipped.subarray(0, -20);
        throw Object.assign(new Error("other side closed"), { code: "UND_ERR_SOCKET" });
      })(),
    );
    const client = {
      get: async (url: string) => new HttpAnswer({ url, status: 200, headers: {}, body }),
    } as Partial<SiteClient> as SiteClient;
    const loader = { client, sites: [siteOf(new URL(origin))], mayVisit: () => true, whyNot: () => null };
    const { failures } = await loadSitemaps(loader, [{ url: `${origin}/sitemap.xml.gz`, isGuess: false }], 1000);
    expect(failures).toMatchObject([{ error: { code: "SOURCE_UNREACHABLE" } }]);
  });

  it("reads a zipped one no further than the protocol's 50 MiB, however small it came", async () => {
    const url = `${origin}/sitemap.xml.gz`;
    const bomb = gzipSync(`${origin}/a\n`.padEnd(51 * 1024 * 1024));
    const client = {
      get: async () => new HttpAnswer({ url, status: 200, headers: {}, body: Readable.from([bomb]) }),
    } as Partial<SiteClient> as SiteClient;
    const loader = { client, sites: [siteOf(new URL(origin))], mayVisit: () => true, whyNot: () => null };
    expect(await loadSitemaps(loader, [{ url, isGuess: false }], 1000)).toMatchObject({
      urls: [],
      failures: [{ ref: url, error: { code: "DOCUMENT_TOO_LARGE" } }],
    });
  });

  const pagesOf = (...paths: string[]) =>
    `<urlset>${paths.map((path) => `<url><loc>${origin}${path}</loc></url>`).join("")}</urlset>`;
  const indexed = (count: number) => (path: string) => ({
    body: path === "/sitemap.xml" ? indexOf(count) : pagesOf(`/p${path}`, "/unwanted"),
  });

  it("reads hundreds of sitemaps, and counts no page that is not wanted", async () => {
    const { urls, leftOut, failures } = await load(indexed(700), { maxUrls: 700 });
    expect([urls.length, leftOut, failures]).toEqual([700, 0, []]);
  });

  it("counts the sitemaps that it leaves out, for what they name, weigh or take", async () => {
    expect(await load(indexed(10), { maxUrls: 4 })).toMatchObject({ urls: { length: 4 }, leftOut: 6 });
    const two = (path: string) => ({ body: path === "/sitemap.xml" ? indexOf(2) : pagesOf(`/a${path}`, `/b${path}`) });
    expect(await load(two, { maxUrls: 3 })).toMatchObject({ urls: { length: 3 }, leftOut: 1 });
    const few = { ...sitemapLimits, totalBytes: 1000 };
    const { urls, leftOut } = await load(indexed(10), { limits: few });
    expect(urls.length).toBeLessThan(10);
    expect(urls.length + leftOut).toBe(10);
    expect((await load(indexed(10), { limits: { ...sitemapLimits, totalMs: 0 } })).leftOut).toBe(1);
    expect((await load(indexed(50_010), { limits: few })).leftOut).toBe(50_010);
  });

  it("takes 404 and 410 for none; whatever else is refused is a failure", async () => {
    for (const status of [404, 410]) expect(await load(() => ({ status }))).toMatchObject({ urls: [], failures: [] });
    const refusals = [{ status: 403 }, { status: 401 }, { status: 400 }, { status: 500 }, { type: "text/html" }];
    for (const refusal of [...refusals, { body: "<error/>" }, { body: "No such tenant." }]) {
      expect((await load(() => refusal)).failures, JSON.stringify(refusal)).toHaveLength(1);
    }
  });

  it("takes an answer that comes to anything for none where nobody named a sitemap", async () => {
    for (const answer of [{ status: 403 }, { type: "text/html", body: "shell" }]) {
      expect((await load(() => answer, { isGuess: true })).failures).toEqual([]);
      const alone = await load((path) => (path === "/sitemap.xml" ? answer : undefined), { isGuess: true });
      expect(alone.failures).toHaveLength(1);
    }
    expect((await load(() => ({ status: 500 }), { isGuess: true })).failures).toHaveLength(1);
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
