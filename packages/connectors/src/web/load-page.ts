import type { ContentHandle, SourceItem } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import type { HttpAnswer } from "../http-answer.ts";
import { contentOf } from "../content.ts";
import { isDocumentType, mediaTypeOf, parseMediaType } from "../media-type.ts";
import { canonicalHeader, type CanonicalPages } from "./canonical-pages.ts";
import { textToUtf8 } from "./charsets.ts";
import { saveDownload } from "./download.ts";
import { feedTypes, vagueFeedTypes } from "./feed-types.ts";
import { redirectTarget } from "./follow-redirects.ts";
import type { MissingPages } from "./missing-pages.ts";
import { dateOf, itemOf, memoryOf } from "./page-item.ts";
import { digestOfBytes, digestPage, type PageDigest, type PageMemory } from "./page-memory.ts";
import { readFeed } from "./read-feed.ts";
import { readHtml, type HtmlReader } from "./read-html.ts";
import { readRobotsRules } from "./robots-rules.ts";
import { isLoginAddress, isSeenByAnybody, leadsToLogin, lostItsText, signedOut } from "./signed-out.ts";
import { readBody, statusError, type SiteClient } from "./site-client.ts";
import { isCalledLikeCode, linksOf, normaliseUrl, pathOf, type Site } from "./site-url.ts";

/** What one address turned out to be. Links are normalised and lie in the sites. */
export type PageOutcome =
  | {
      type: "document";
      item: SourceItem;
      digest: PageDigest;
      content: ContentHandle;
      /** Lets go of what is kept for a content that is not opened. */
      drop(): Promise<void>;
      links: string[];
      hasMoreLinks: boolean;
      feeds: string[];
    }
  /** The server vouches that nothing changed; the links are those of the last time. */
  | { type: "not-modified" }
  /** Leads somewhere, is no document itself: a redirect, a copy of its canonical page, a page marked noindex. */
  | { type: "passage"; why: PassageReason; links: string[]; hasMoreLinks: boolean; feeds: string[] }
  /** A list in which the site names pages. */
  | { type: "feed"; links: string[] }
  /** Not there: 404, 410, or a page that says so in words. */
  | { type: "gone" }
  /** Nothing for us: another site, an image. */
  | { type: "skipped"; why: "elsewhere" | "type" | "noindex" }
  /** `leads`: whether it names pages, where the answer tells even so: as half of a feed does, and an honest "not found". */
  | { type: "failed"; error: AnnealError; leads?: boolean };

type PassageReason = "redirect" | "copy" | "noindex";

export type PageLoader = HtmlReader & {
  sites: readonly Site[];
  client: SiteClient;
  /** By the settings and robots.txt. */
  mayVisit(url: string, isFeed?: boolean): boolean;
  /** Why an address may not be visited, where people are told: by the patterns of the settings, else by robots.txt alone. */
  whyNot(url: string, isFeed?: boolean): "excluded" | "robots" | null;
  tempDir: string;
  hasLogin: boolean;
  missingPages: MissingPages;
  canonicalPages: CanonicalPages;
};

/**
 * What is known of a page before it is asked for. `isConditional`: its links are, so that "not modified" is an answer to
 * live with. `hasLed`: no document, and named pages in the crawl before.
 */
export type PageHistory = { memory: PageMemory | null; isConditional: boolean; hasLed: boolean };

export const newPage: PageHistory = { memory: null, isConditional: false, hasLed: false };

export async function loadPage(loader: PageLoader, url: string, history: PageHistory): Promise<PageOutcome> {
  const { memory, isConditional } = history;
  const response = await ask(loader, url, isConditional ? conditionsOf(memory) : {});
  const outcome = await outcomeOfStatus(loader, url, response, memory !== null || history.hasLed);
  if (outcome !== null) {
    response.discard();
    return outcome;
  }
  const declared = parseMediaType(response.headers.get("content-type"));
  const vague = declared === null || declared === "application/octet-stream";
  const mediaType = vague ? mediaTypeOf(new URL(url).pathname) : declared;
  const isHtml = mediaType === "text/html" || mediaType === "application/xhtml+xml";
  if (!isHtml && isCalledLikeCode(url)) {
    response.discard();
    return { type: "skipped", why: "type" };
  }
  if (isHtml) {
    return readHtmlPage(loader, url, response, memory);
  }
  if (mediaType !== null && (feedTypes.has(mediaType) || vagueFeedTypes.has(mediaType))) {
    const feed = await readFeed(loader.pages, readBody(response, url, loader.limits.documentBytes), url, mediaType);
    switch (feed.type) {
      case "feed":
        return { type: "feed", links: linksOf(feed.urls, url, loader.sites) };
      case "unreadable":
        return { type: "failed", error: feed.error, leads: true };
      case "sitemap":
        return { type: "skipped", why: "type" };
      case "other":
        return readDocument(loader, url, response, mediaType, feed);
    }
  }
  const body = readBody(response, url, loader.limits.documentBytes);
  return readDocument(loader, url, response, mediaType, { body, cancel: async () => response.discard() });
}

/** A redirect to another spelling of the same page (with www, with a session) is followed; its normal one is the ref. */
async function ask(loader: PageLoader, url: string, headers: Record<string, string>): Promise<HttpAnswer> {
  const response = await loader.client.get(url, headers);
  const target = redirectTarget(response, url);
  if (target === null || target === url || normaliseUrl(target, url, loader.sites) !== url) return response;
  response.discard();
  return loader.client.get(target, headers, { alongside: true });
}

function conditionsOf(memory: PageMemory | null): Record<string, string> {
  // Without its links, an unchanged page would hide what lies behind it.
  if (memory === null || memory.links === null) return {};
  return {
    ...(memory.etag === null ? {} : { "if-none-match": memory.etag }),
    ...(memory.lastModified === null ? {} : { "if-modified-since": memory.lastModified }),
  };
}

async function outcomeOfStatus(
  loader: PageLoader,
  url: string,
  response: HttpAnswer,
  wasOpen: boolean,
): Promise<PageOutcome | null> {
  const { status } = response;
  if (status === 200) return null;
  if (status === 304) return { type: "not-modified" };
  if (status === 404 || status === 410) return { type: "gone" };
  if (status === 401 && loader.hasLogin) return { type: "failed", error: signedOut(url, true) };
  const target = redirectTarget(response, url);
  if (target === null) return { type: "failed", error: statusError(url, status) };
  const isExpected = wasOpen || loader.hasLogin;
  if (isExpected && isLoginAddress(target) && !isLoginAddress(url)) {
    return { type: "failed", error: signedOut(url, loader.hasLogin) };
  }
  const inSite = normaliseUrl(target, url, loader.sites);
  if (inSite === null) return { type: "skipped", why: "elsewhere" };
  if (inSite === url) return { type: "failed", error: endlessRedirect(url) };
  if (wasOpen && (await leadsToLogin(loader, inSite))) {
    return { type: "failed", error: signedOut(url, loader.hasLogin) };
  }
  return { type: "passage", why: "redirect", links: [inSite], hasMoreLinks: false, feeds: [] };
}

async function readHtmlPage(
  loader: PageLoader,
  url: string,
  response: HttpAnswer,
  memory: PageMemory | null,
): Promise<PageOutcome> {
  const page = await readHtml(loader, url, response);
  const { facts } = page;
  const lost = lostItsText(facts, memory);
  if (lost === "to-login" || (lost === "unexplained" && (await isSeenByAnybody(loader, url, facts.mainText)))) {
    return { type: "failed", error: signedOut(url, loader.hasLogin) };
  }
  if (await loader.missingPages.isMissing(url, facts, lost !== null)) return { type: "gone" };

  const rules = readRobotsRules(robotsHeader(loader, response));
  const noindex = loader.config.respectNoindex && (rules.noindex || facts.noindex);
  const base = facts.base !== null && URL.canParse(facts.base, url) ? new URL(facts.base, url) : url;
  const isDeadEnd = rules.nofollow || facts.nofollow;
  const named = facts.canonical ?? canonicalHeader(response);
  const links = isDeadEnd ? [] : linksOf(named === null ? facts.links : [...facts.links, named], base, loader.sites);
  const hasMoreLinks = facts.hasMoreLinks && !isDeadEnd;
  const feeds = isDeadEnd ? [] : linksOf(facts.feeds, base, loader.sites);
  const original = await loader.canonicalPages.originalOf(url, named, base, facts);
  if (original !== null) {
    return { type: "passage", why: "copy", links: [original, ...links], hasMoreLinks, feeds };
  }
  if (noindex) return { type: "passage", why: "noindex", links, hasMoreLinks, feeds };

  const digest = digestPage(facts.title, facts.mainText, dateOf(response), facts.language);
  // Links that are never followed would keep the page from being asked for by conditional requests.
  const fresh = memoryOf(
    digest,
    response,
    links.filter((link) => loader.mayVisit(link)),
  );
  // What scripts fetch may change while the page around them does not.
  const stored = page.rendered ? { ...fresh, etag: null, lastModified: null } : fresh;
  const title = facts.title ?? `/${pathOf(url)}`;
  const item = itemOf(url, title, "text/html", page.bytes.byteLength, response, stored);
  const content = contentOf(page.bytes);
  return { type: "document", item, digest, content, drop: async () => {}, links, hasMoreLinks, feeds };
}

async function readDocument(
  loader: PageLoader,
  url: string,
  response: HttpAnswer,
  mediaType: string | null,
  { body, cancel }: { body: AsyncIterable<Uint8Array>; cancel(): Promise<void> },
): Promise<PageOutcome> {
  const isRead = mediaType !== null && isDocumentType(mediaType);
  if (!isRead || readRobotsRules(robotsHeader(loader, response)).noindex) {
    await cancel();
    return { type: "skipped", why: isRead ? "noindex" : "type" };
  }
  const original = await loader.canonicalPages.originalOf(url, canonicalHeader(response), url, null);
  if (original !== null) {
    await cancel();
    return { type: "passage", why: "copy", links: [original], hasMoreLinks: false, feeds: [] };
  }
  const isText = mediaType.startsWith("text/") || /[/+](?:json|xml)$/.test(mediaType);
  const readable = isText ? textToUtf8(body, response.headers.get("content-type")) : body;
  const { digest: bytesDigest, sizeBytes, ...saved } = await saveDownload(readable, loader.tempDir);
  const digest = digestOfBytes(bytesDigest, sizeBytes);
  const item = itemOf(url, `/${pathOf(url)}`, mediaType, sizeBytes, response, memoryOf(digest, response, []));
  return { type: "document", item, digest, ...saved, links: [], hasMoreLinks: false, feeds: [] };
}

function robotsHeader(loader: PageLoader, response: HttpAnswer): string | null {
  return loader.config.respectNoindex ? response.headers.get("x-robots-tag") : null;
}

function endlessRedirect(url: string): AnnealError {
  return new AnnealError("SOURCE_NOT_FOUND", `"${url}" redirects to itself.`, {
    action: "Open it in a browser; a page that wants cookies needs a login here.",
  });
}
