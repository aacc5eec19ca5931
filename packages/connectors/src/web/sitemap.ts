import { randomUUID } from "node:crypto";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { AnnealError, isAnnealError } from "@anneal/core/errors";
import type { HttpAnswer } from "../http-answer.ts";
import { collectBytes, limitBytes } from "../content.ts";
import { parseMediaType } from "../media-type.ts";
import type { WebConfig } from "./config.ts";
import { followRedirects } from "./follow-redirects.ts";
import type { PageLoader } from "./load-page.ts";
import type { OpenedSite } from "./open-site.ts";
import type { PageReader } from "./page-reader.ts";
import type { ParsedSitemap } from "./parse-sitemap.ts";
import { readBody, statusError, type SiteClient } from "./site-client.ts";
import { isSameSite, normaliseUrl } from "./site-url.ts";

/** Limits of the protocol, https://www.sitemaps.org/protocol.html: 50 MiB a file, 50,000 files in an index. */
const maxSitemapBytes = 50 * 1024 * 1024;
const maxWaiting = 50_000;

/** A crawl reads its sitemaps before its first page, and again whenever it goes on. */
export const sitemapLimits = { totalBytes: 1024 * 1024 * 1024, totalMs: 15 * 60_000 };

export type SitemapResult = {
  /** Normalised, each once, of those that may be visited. */
  urls: string[];
  /** The same of those that the settings or robots.txt keep out. */
  keptOut: string[];
  failures: { ref: string; error: AnnealError }[];
  /** How many sitemaps were not read, or not to their end, because that was too much. */
  leftOut: number;
};

type SitemapLoader = Pick<PageLoader, "client" | "sites" | "mayVisit" | "whyNot"> & {
  pages: Pick<PageReader, "readSitemap">;
};

/**
 * Reads sitemaps and those that they list.
 * @param named `isGuess`: by nobody, but that is where sitemaps usually are
 * @param maxUrls the rest is left out
 */
export async function loadSitemaps(
  { client, pages: reader, sites, mayVisit, whyNot }: SitemapLoader,
  named: readonly NamedSitemap[],
  maxUrls: number,
  limits = sitemapLimits,
): Promise<SitemapResult> {
  const declared = new Set(named.flatMap(({ url, isGuess }) => (isGuess ? [] : [url])));
  const guesses = new Set(named.flatMap(({ url, isGuess }) => (isGuess && !declared.has(url) ? [url] : [])));
  // One that grows while it is walked is walked to its new end.
  const waiting = new Set(named.map(({ url }) => url));
  const urls = new Set<string>();
  const keptOut = new Set<string>();
  const failures: SitemapResult["failures"] = [];
  const endMs = performance.now() + limits.totalMs;
  let sizeBytes = 0;
  let leftOut = 0;
  const isSpent = () => urls.size >= maxUrls || sizeBytes >= limits.totalBytes || performance.now() >= endMs;
  for (const url of waiting) {
    const target = URL.parse(url);
    if (target === null || !sites.some((site) => isSameSite(target, site))) continue;
    if (isSpent()) {
      leftOut += 1;
      continue;
    }
    try {
      const { pages, sitemaps, ...read } = await loadSitemap({ client, pages: reader }, url, guesses.has(url));
      sizeBytes += read.sizeBytes;
      let isCut = false;
      for (const page of pages) {
        const address = normaliseUrl(page, page, sites);
        if (address === null) continue;
        if (!mayVisit(address)) {
          if (keptOut.size < maxUrls && whyNot(address) !== null) keptOut.add(address);
          continue;
        }
        if (urls.size < maxUrls) urls.add(address);
        else isCut ||= !urls.has(address);
      }
      if (isCut) leftOut += 1;
      for (const sitemap of sitemaps) {
        if (waiting.size < maxWaiting) waiting.add(sitemap);
        else if (!waiting.has(sitemap)) leftOut += 1;
      }
    } catch (error) {
      if (!isAnnealError(error)) throw error;
      failures.push({ ref: url, error });
    }
  }
  return { urls: [...urls], keptOut: [...keptOut], failures, leftOut };
}

/** @param count of `SitemapResult.leftOut` */
export function sitemapsLeftOut(count: number): AnnealError {
  const number = count.toLocaleString("en");
  return new AnnealError(
    "DOCUMENT_UNSUPPORTED",
    count === 1
      ? "One sitemap was not read, or not to its end: there was too much."
      : `Some ${number} sitemaps were not read, or not to their end: there were too many.`,
    {
      action:
        "Nothing is deleted for not being found. Enter the sitemaps whose pages are wanted under “Sitemaps”, which are read first, or split the site into several sources with “Include”.",
      details: { code: "SITEMAP_LIMIT", leftOut: count },
    },
  );
}

export type NamedSitemap = { url: string; isGuess: boolean };

/** Those of the settings; then each site's, where its robots.txt says or at the usual place. */
export function sitemapsToRead(config: WebConfig, opened: readonly OpenedSite[]): NamedSitemap[] {
  const given = config.sitemaps.map((url) => ({ url, isGuess: false }));
  const usual = opened.flatMap(({ site, robots }) =>
    robots.sitemaps.length === 0
      ? [{ url: `${site.origin}/sitemap.xml`, isGuess: true }]
      : robots.sitemaps.map((url) => ({ url, isGuess: false })),
  );
  return [...given, ...usual];
}

const noSitemap = { pages: [], sitemaps: [], sizeBytes: 0 };

async function loadSitemap(
  { client, pages }: Pick<SitemapLoader, "client" | "pages">,
  url: string,
  isGuess: boolean,
): Promise<ParsedSitemap & { sizeBytes: number }> {
  const { response } = await followRedirects(client, url);
  const { status } = response;
  const isShell = isHtml(response);
  if (status !== 200 || isShell) {
    response.discard();
    if (isAbsence(status) || (isGuess && (await isAnswerToAnything(client, url, status, isShell)))) return noSitemap;
    throw status === 200 ? damaged(url) : statusError(url, status);
  }
  const bytes = await collectBytes(decompress(readBody(response, url, maxSitemapBytes), url));
  const parsed = await pages.readSitemap(bytes, url);
  if (parsed === null) throw damaged(url);
  return { ...parsed, sizeBytes: bytes.byteLength };
}

/** Any other refusal may hide a sitemap that is there. */
function isAbsence(status: number): boolean {
  return status === 404 || status === 410;
}

function isHtml(response: HttpAnswer): boolean {
  return parseMediaType(response.headers.get("content-type")) === "text/html";
}

/** Some sites answer whatever they do not have with their own shell, or with 403: they have no sitemap that nobody named. */
async function isAnswerToAnything(client: SiteClient, url: string, status: number, isShell: boolean): Promise<boolean> {
  if (status >= 500 || status === 429) return false;
  const { response } = await followRedirects(client, new URL(`/${randomUUID()}.xml`, url).href);
  response.discard();
  return response.status === status && isHtml(response) === isShell;
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
    // Not by pipe(): where the line breaks off nobody would hear of it, and an error that nobody hears ends the process.
    yield* zipped
      ? limitBytes(
          url,
          pipeline(Readable.from(whole), createGunzip(), () => {}),
          maxSitemapBytes,
        )
      : whole;
  } catch (error) {
    throw isAnnealError(error) ? error : damaged(url);
  }
}

function damaged(url: string): AnnealError {
  return new AnnealError("DOCUMENT_DAMAGED", `The sitemap "${url}" cannot be read.`, {
    action: "Tell the site's owner; pages are still found by their links.",
  });
}
