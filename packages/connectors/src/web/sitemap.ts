import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { AnnealError, isAnnealError } from "@anneal/core/errors";
import { SaxesParser } from "saxes";
import { limitBytes } from "../content.ts";
import { parseMediaType } from "../media-type.ts";
import { followRedirects } from "./follow-redirects.ts";
import type { OpenedSite } from "./open-site.ts";
import { discard, readBody, statusError, type SiteClient } from "./site-client.ts";
import { isSameSite, type Site } from "./site-url.ts";

/** Limits of the protocol, https://www.sitemaps.org/protocol.html: 50,000 addresses and 50 MiB a file. */
const maxSitemapBytes = 50 * 1024 * 1024;
const maxSitemaps = 100;

export type SitemapResult = { urls: string[]; failures: { ref: string; error: AnnealError }[] };

/**
 * Reads sitemaps and those that they list.
 * @param named by robots.txt or a person
 * @param maxUrls the rest is left out
 */
export async function loadSitemaps(
  client: SiteClient,
  sites: readonly Site[],
  named: readonly string[],
  maxUrls: number,
): Promise<SitemapResult> {
  const waiting = [...named];
  const asked = new Set<string>();
  const result: SitemapResult = { urls: [], failures: [] };
  for (let url = waiting.shift(); url !== undefined; url = waiting.shift()) {
    if (asked.has(url) || asked.size >= maxSitemaps || result.urls.length >= maxUrls) continue;
    const target = URL.parse(url);
    if (target === null || !sites.some((site) => isSameSite(target, site))) continue;
    asked.add(url);
    try {
      const { pages, sitemaps } = await loadSitemap(client, url);
      // One by one: a list of a hundred thousand is more than a call takes as arguments.
      for (const page of pages.slice(0, maxUrls - result.urls.length)) result.urls.push(page);
      waiting.push(...sitemaps.slice(0, maxSitemaps));
    } catch (error) {
      if (!isAnnealError(error)) throw error;
      result.failures.push({ ref: url, error });
    }
  }
  return result;
}

/** Where a site's sitemaps are: where its robots.txt says, or at the usual place. */
export function sitemapsOf({ site, robots }: OpenedSite): string[] {
  return robots.sitemaps.length > 0 ? robots.sitemaps : [`${site.origin}/sitemap.xml`];
}

async function loadSitemap(client: SiteClient, url: string): Promise<ParsedSitemap> {
  const { response } = await followRedirects(client, url);
  if (response.status !== 200) {
    await discard(response);
    // No sitemap is no failure; one that cannot be had just now is.
    if (response.status < 500 && response.status !== 429) return { pages: [], sitemaps: [] };
    throw statusError(url, response.status);
  }
  // Sites that answer everything with their own shell have no sitemap.
  if (parseMediaType(response.headers.get("content-type")) === "text/html") {
    await discard(response);
    return { pages: [], sitemaps: [] };
  }
  return parseSitemap(decompress(readBody(response, url, maxSitemapBytes), url), url);
}

/** A .gz sitemap is often sent as a plain file, so the bytes decide, not the headers. */
async function* decompress(body: AsyncIterable<Uint8Array>, url: string): AsyncIterable<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done) return;
  const whole = (async function* () {
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => chunks };
  })();
  const zipped = first.value[0] === 0x1f && first.value[1] === 0x8b;
  try {
    yield* zipped ? limitBytes(url, Readable.from(whole).pipe(createGunzip()), maxSitemapBytes) : whole;
  } catch (error) {
    throw isAnnealError(error) ? error : damaged(url);
  }
}

export type ParsedSitemap = { pages: string[]; sitemaps: string[] };

/** Also takes the plain-text form, one address a line. */
export async function parseSitemap(body: AsyncIterable<Uint8Array>, url: string): Promise<ParsedSitemap> {
  const result: ParsedSitemap = { pages: [], sitemaps: [] };
  const parser = new SaxesParser();
  const path: string[] = [];
  let text = "";
  parser.on("opentag", ({ name }) => {
    path.push(name.replace(/^.*:/, ""));
    text = "";
  });
  parser.on("text", (part) => {
    text += part;
  });
  parser.on("cdata", (part) => {
    text += part;
  });
  parser.on("closetag", () => {
    // Only <url><loc> and <sitemap><loc>: image and video extensions have a loc of their own.
    if (path.at(-1) === "loc" && path.at(-2) === "url") result.pages.push(text.trim());
    if (path.at(-1) === "loc" && path.at(-2) === "sitemap") result.sitemaps.push(text.trim());
    path.pop();
  });
  parser.on("error", () => {
    throw damaged(url);
  });
  const decoder = new TextDecoder();
  let form: "xml" | "text" | null = null;
  let lines = "";
  for await (const chunk of body) {
    const part = decoder.decode(chunk, { stream: true });
    form ??= part.trimStart().startsWith("<") ? "xml" : "text";
    if (form === "xml") parser.write(part);
    else lines += part;
  }
  if (form === "xml") parser.close();
  for (const line of lines.split(/\s+/)) if (/^https?:/.test(line)) result.pages.push(line);
  return result;
}

function damaged(url: string): AnnealError {
  return new AnnealError("DOCUMENT_DAMAGED", `The sitemap "${url}" cannot be read.`, {
    action: "Tell the site's owner; pages are still found by their links.",
  });
}
