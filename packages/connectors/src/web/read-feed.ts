import { AnnealError, isAnnealError } from "@anneal/core/errors";
import { collectBytes, limitBytes } from "../content.ts";
import { feedTypes } from "./feed-types.ts";
import type { PageReader } from "./page-reader.ts";

/** `other`: a document of a media type that feeds are sent as, too; nothing of its body is lost. */
export type FeedAnswer =
  | { type: "feed"; urls: string[] }
  /** A feed, of which it cannot be told what it names. */
  | { type: "unreadable"; error: AnnealError }
  /** Sitemaps are read as such; as pages they say nothing. */
  | { type: "sitemap" }
  | { type: "other"; body: AsyncIterable<Uint8Array>; cancel(): Promise<void> };

const maxFeedBytes = 10 * 1024 * 1024;

/** Tells by the first bytes what an answer is that may be a feed. */
export async function readFeed(
  pages: PageReader,
  body: AsyncIterable<Uint8Array>,
  url: string,
  mediaType: string,
): Promise<FeedAnswer> {
  const chunks = body[Symbol.asyncIterator]();
  const first = await chunks.next();
  const whole = (async function* () {
    if (!first.done) yield first.value;
    yield* { [Symbol.asyncIterator]: () => chunks };
  })();
  const start = first.done ? "" : new TextDecoder().decode(first.value.subarray(0, 4096));
  if (!feedTypes.has(mediaType) && !/<(?:rss|feed|rdf:RDF)[\s>]|jsonfeed\.org\\?\/version/i.test(start)) {
    const cancel = async () => void (await chunks.return?.(undefined));
    if (!/<(?:\w+:)?(?:urlset|sitemapindex)[\s>]/.test(start)) return { type: "other", body: whole, cancel };
    await cancel();
    return { type: "sitemap" };
  }
  try {
    const urls = await pages.readFeed(await collectBytes(limitBytes(url, whole, maxFeedBytes)), url);
    return urls === null ? { type: "unreadable", error: damaged(url) } : { type: "feed", urls };
  } catch (error) {
    if (!isAnnealError(error)) throw error;
    return { type: "unreadable", error: error.details["limitBytes"] !== undefined ? tooLong(url, error) : error };
  }
}

const nothingDeleted = "Nothing is deleted for not being found until it can be read or is excluded.";

function damaged(url: string): AnnealError {
  return new AnnealError("DOCUMENT_DAMAGED", `The feed "${url}" cannot be read.`, {
    action: `Tell the site's owner; pages are still found by their links. ${nothingDeleted}`,
  });
}

function tooLong(url: string, cause: AnnealError): AnnealError {
  return new AnnealError("DOCUMENT_TOO_LARGE", `The feed "${url}" is too large to be read.`, {
    action: `Ask the site's owner for one in pages, or for a sitemap. ${nothingDeleted}`,
    details: cause.details,
    cause,
  });
}
