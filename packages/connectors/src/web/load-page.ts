import type { ContentHandle, SourceItem } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import type { Response } from "undici";
import type { ConnectLimits } from "../connector.ts";
import { collectBytes, contentOf } from "../content.ts";
import { isDocumentType, mediaTypeOf, parseMediaType } from "../media-type.ts";
import type { WebConfig } from "./config.ts";
import { saveDownload } from "./download.ts";
import { needsJavaScript, readPageFacts, readRobotsRules, type PageFacts } from "./page-facts.ts";
import { redirectTarget } from "./follow-redirects.ts";
import { digestText, encodeMemory, type PageMemory } from "./page-memory.ts";
import type { PageRenderer } from "./page-renderer.ts";
import { discard, readBody, statusError, type SiteClient } from "./site-client.ts";
import { isSkippedFile, normaliseUrl, type Site } from "./site-url.ts";

/** What one address turned out to be. Links are normalised and lie in the site. */
export type PageOutcome =
  | { type: "document"; item: SourceItem; digest: string; content: ContentHandle; links: string[] }
  /** The server vouches that nothing changed; the links are those of the last time. */
  | { type: "not-modified" }
  /** Leads somewhere, is no document itself: a redirect, a copy of its canonical page, a page marked noindex. */
  | { type: "passage"; links: string[] }
  /** Not there: 404, 410, or a page that says so in words. */
  | { type: "gone" }
  /** Nothing for us: another site, an image. */
  | { type: "skipped" }
  | { type: "failed"; error: AnnealError };

export type PageLoader = {
  config: WebConfig;
  site: Site;
  client: SiteClient;
  /** null where there is no browser, or none is wanted. */
  renderer: PageRenderer | null;
  limits: ConnectLimits;
  tempDir: string;
  signal: AbortSignal;
  /** What the site says on a page that does not exist, if it says so with status 200. */
  missingPageText: string | null;
};

const maxHtmlBytes = 10 * 1024 * 1024;

export async function loadPage(loader: PageLoader, url: string, memory: PageMemory | null): Promise<PageOutcome> {
  const response = await loader.client.get(url, conditionsOf(memory));
  const outcome = await outcomeOfStatus(loader, url, response);
  if (outcome !== null) {
    await discard(response);
    return outcome;
  }
  const declared = parseMediaType(response.headers.get("content-type"));
  const vague = declared === null || declared === "application/octet-stream";
  const mediaType = vague ? mediaTypeOf(new URL(url).pathname) : declared;
  if (mediaType === "text/html" || mediaType === "application/xhtml+xml") return readHtmlPage(loader, url, response);
  if (mediaType === null || !isDocumentType(mediaType) || readRobotsRules(robotsHeader(loader, response)).noindex) {
    await discard(response);
    return { type: "skipped" };
  }
  const { digest, sizeBytes, content } = await saveDownload(
    readBody(response, url, loader.limits.documentBytes),
    loader.tempDir,
  );
  const name = decodeName(new URL(url).pathname);
  const item = itemOf(url, name, mediaType, sizeBytes, response, memoryOf(digest, response, []));
  return { type: "document", item, digest, content, links: [] };
}

function conditionsOf(memory: PageMemory | null): Record<string, string> {
  // Without its links, an unchanged page would hide what lies behind it.
  if (memory === null || memory.links === null) return {};
  return {
    ...(memory.etag === null ? {} : { "if-none-match": memory.etag }),
    ...(memory.lastModified === null ? {} : { "if-modified-since": memory.lastModified }),
  };
}

async function outcomeOfStatus(loader: PageLoader, url: string, response: Response): Promise<PageOutcome | null> {
  if (response.status === 200) return null;
  if (response.status === 304) return { type: "not-modified" };
  if (response.status === 404 || response.status === 410) return { type: "gone" };
  const target = redirectTarget(response, url);
  if (target === null) return { type: "failed", error: statusError(url, response.status) };
  const inSite = normaliseUrl(target, url, loader.site);
  return inSite === null ? { type: "skipped" } : { type: "passage", links: [inSite] };
}

async function readHtmlPage(loader: PageLoader, url: string, response: Response): Promise<PageOutcome> {
  const { config, site } = loader;
  const limit = Math.min(maxHtmlBytes, loader.limits.documentBytes);
  const page = await readHtml(loader, url, response, limit);
  const { facts } = page;
  if (loader.missingPageText !== null && missingTextOf(facts, url) === loader.missingPageText) return { type: "gone" };

  const rules = readRobotsRules(robotsHeader(loader, response));
  const noindex = config.respectNoindex && (rules.noindex || facts.noindex);
  const base = facts.base !== null && URL.canParse(facts.base, url) ? new URL(facts.base, url) : url;
  const links = rules.nofollow || facts.nofollow ? [] : linksOf(facts, base, site);
  const canonical = facts.canonical === null ? null : normaliseUrl(facts.canonical, base, site);
  // A theme that names the front page as the canonical one of every page is a mistake, not a wish.
  const isCopy = canonical !== null && canonical !== url && canonical !== `${site.origin}/`;
  if (isCopy) return { type: "passage", links: [canonical, ...links] };
  if (noindex) return { type: "passage", links };

  const digest = digestText(`${facts.title}\n${facts.text}`);
  const memory = memoryOf(digest, response, links);
  // What scripts fetch may change while the page around them does not.
  const stored = page.rendered ? { ...memory, etag: null, lastModified: null } : memory;
  const title = facts.title ?? decodeName(new URL(url).pathname);
  const item = itemOf(url, title, "text/html", page.bytes.byteLength, response, stored);
  return { type: "document", item, digest, content: contentOf(page.bytes), links };
}

async function readHtml(loader: PageLoader, url: string, response: Response, limitBytes: number) {
  const raw = await collectBytes(readBody(response, url, limitBytes));
  const bytes = toUtf8(raw, response.headers.get("content-type"));
  const facts = readPageFacts(new TextDecoder().decode(bytes));
  const { render } = loader.config;
  if (render === "never" || (render === "auto" && !needsJavaScript(facts))) return { bytes, facts, rendered: false };
  if (loader.renderer === null) {
    if (facts.text !== "") return { bytes, facts, rendered: false };
    throw new AnnealError("PREREQUISITE_MISSING", `"${url}" is empty without JavaScript, and there is no browser.`, {
      action: "Install Chromium, or name its path with ANNEAL_CHROMIUM; then sync again.",
    });
  }
  const html = await loader.renderer.render(url, bytes, loader.signal);
  return { bytes: Buffer.from(html), facts: readPageFacts(html), rendered: true };
}

/** What a page says apart from its own address, which error pages like to repeat. */
function missingTextOf(facts: PageFacts, url: string): string {
  const { pathname } = new URL(url);
  const text = `${facts.title ?? ""} ${facts.text}`;
  return pathname === "/" ? text : text.replaceAll(pathname, "").replaceAll(decodeName(pathname), "");
}

/** Asks for a page that cannot exist. An honest 404 needs no comparison. */
export async function readMissingPage(loader: PageLoader): Promise<string | null> {
  const url = `${loader.site.origin}/annealbot-asks-for-a-page-that-does-not-exist`;
  const response = await loader.client.get(url);
  const mediaType = parseMediaType(response.headers.get("content-type"));
  if (response.status !== 200 || mediaType !== "text/html") {
    await discard(response);
    return null;
  }
  const { facts } = await readHtml(loader, url, response, maxHtmlBytes);
  // A shell that never got any text says nothing about which pages exist.
  return facts.text === "" ? null : missingTextOf(facts, url);
}

function linksOf(facts: PageFacts, base: URL | string, site: Site): string[] {
  const links = new Set<string>();
  for (const href of facts.links) {
    const url = normaliseUrl(href, base, site);
    if (url !== null && !isSkippedFile(url)) links.add(url);
  }
  return [...links];
}

function robotsHeader(loader: PageLoader, response: Response): string | null {
  return loader.config.respectNoindex ? response.headers.get("x-robots-tag") : null;
}

function memoryOf(digest: string, response: Response, links: string[]): PageMemory {
  return {
    digest,
    etag: response.headers.get("etag"),
    lastModified: response.headers.get("last-modified"),
    links,
  };
}

function itemOf(
  url: string,
  title: string,
  mediaType: string,
  sizeBytes: number,
  response: Response,
  memory: PageMemory,
): SourceItem {
  const modified = Date.parse(response.headers.get("last-modified") ?? "");
  return {
    ref: url,
    uri: url,
    // Out of an address a title may come with characters that no text column holds.
    title: title.replace(/\p{Cc}/gu, " "),
    mediaType,
    sizeBytes,
    modifiedAt: Number.isNaN(modified) ? null : new Date(modified).toISOString(),
    fingerprint: encodeMemory(memory),
    acl: null,
  };
}

/** The header's charset is lost to whoever reads the bytes later, so they leave here as UTF-8, marked as such. */
function toUtf8(bytes: Uint8Array, contentType: string | null): Uint8Array {
  const header = /charset\s*=\s*"?([\w-]+)/i.exec(contentType ?? "")?.[1];
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 1024));
  const charset = header ?? /<meta[^>]+charset\s*=\s*["']?([\w-]+)/i.exec(start)?.[1] ?? "utf-8";
  if (/^utf-?8$/i.test(charset)) return bytes;
  try {
    return Buffer.from(`\ufeff${new TextDecoder(charset).decode(bytes)}`);
  } catch {
    // A charset that nobody knows.
    return bytes;
  }
}

function decodeName(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}
