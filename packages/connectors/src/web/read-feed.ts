import { AnnealError } from "@anneal/core/errors";
import { collectBytes } from "../content.ts";
import { feedTypes, parseFeed } from "./feed.ts";

/** `other`: a document of a media type that feeds are sent as, too; nothing of its body is lost. */
export type FeedAnswer =
  | { type: "feed"; urls: string[] }
  /** Sitemaps are read as such; as pages they say nothing. */
  | { type: "sitemap" }
  | { type: "other"; body: AsyncIterable<Uint8Array>; cancel(): Promise<void> };

const maxFeedBytes = 10 * 1024 * 1024;

/** Tells by the first bytes what an answer is that may be a feed. */
export async function readFeed(body: AsyncIterable<Uint8Array>, url: string, mediaType: string): Promise<FeedAnswer> {
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
  const urls = parseFeed(new TextDecoder().decode(await collectBytes(takeBytes(maxFeedBytes, whole))));
  if (urls !== null) return { type: "feed", urls };
  throw new AnnealError("DOCUMENT_DAMAGED", `The feed "${url}" cannot be read.`, {
    action: "Tell the site's owner; pages are still found by their links.",
  });
}

/** The beginning of a feed that never ends names its newest entries. */
async function* takeBytes(limitBytes: number, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of body) {
    yield chunk;
    sizeBytes += chunk.byteLength;
    if (sizeBytes > limitBytes) return;
  }
}
