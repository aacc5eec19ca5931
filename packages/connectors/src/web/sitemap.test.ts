import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { answerOf } from "../../conformance/answer-of.ts";
import { HttpAnswer } from "../http-answer.ts";
import { parseSitemap } from "./parse-sitemap.ts";
import { retryAfterMs, type SiteClient } from "./site-client.ts";
import { siteOf } from "./site-url.ts";
import { loadSitemaps, sitemapLimits } from "./sitemap.ts";

/** Read here: that it is read elsewhere is a matter of page-reader.integration.test.ts. */
const pages = { readSitemap: async (bytes: Uint8Array) => parseSitemap(new TextDecoder().decode(bytes)) };

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
    const loader = { client, pages, sites: [siteOf(new URL(origin))], mayVisit, whyNot: () => null };
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
    const loader = { client, pages, sites: [siteOf(new URL(origin))], mayVisit: () => true, whyNot: () => null };
    const { failures } = await loadSitemaps(loader, [{ url: `${origin}/sitemap.xml.gz`, isGuess: false }], 1000);
    expect(failures).toMatchObject([{ error: { code: "SOURCE_UNREACHABLE" } }]);
  });

  it("reads a zipped one no further than the protocol's 50 MiB, however small it came", async () => {
    const url = `${origin}/sitemap.xml.gz`;
    const bomb = gzipSync(`${origin}/a\n`.padEnd(51 * 1024 * 1024));
    const client = {
      get: async () => new HttpAnswer({ url, status: 200, headers: {}, body: Readable.from([bomb]) }),
    } as Partial<SiteClient> as SiteClient;
    const loader = { client, pages, sites: [siteOf(new URL(origin))], mayVisit: () => true, whyNot: () => null };
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
