import robotsParser from "robots-parser";
import { AnnealError } from "@anneal/core/errors";
import type { HttpAnswer } from "../http-answer.ts";
import { robotsAgent } from "./robots-rules.ts";
import { followRedirects } from "./follow-redirects.ts";
import { readBody, statusError, type SiteClient } from "./site-client.ts";
import type { Site } from "./site-url.ts";

// Its typings describe an ES module; what Node hands over is the function itself.
const parseRobots = robotsParser as unknown as (
  url: string,
  text: string,
) => {
  isAllowed(url: string, agent: string): boolean | undefined;
  getCrawlDelay(agent: string): number | undefined;
  getSitemaps(): string[];
};

export type RobotsRules = {
  isAllowed(url: string): boolean;
  crawlDelayMs: number;
  sitemaps: string[];
};

/** RFC 9309, 2.5: a crawler may stop reading there. */
const maxRobotsBytes = 500 * 1024;
/** As long as a sync waits at once; with a longer wish a crawl would never come to an end. */
const maxCrawlDelayMs = 24 * 60 * 60_000;

/**
 * RFC 9309, 2.3.1: without a robots.txt (4xx) everything is allowed; one that cannot be fetched (5xx, no answer)
 * forbids everything, which here ends the run. So does one that wants a crawl to wait for longer than a sync can.
 */
export async function loadRobots(client: SiteClient, site: Site): Promise<RobotsRules> {
  const url = `${site.origin}/robots.txt`;
  const { response } = await followRedirects(client, url, { alongside: true });
  if (response.status >= 500 || response.status === 429) {
    response.discard();
    throw statusError(url, response.status);
  }
  if (response.status !== 200) {
    response.discard();
    return { isAllowed: () => true, crawlDelayMs: 0, sitemaps: [] };
  }
  const text = await readStart(response, url, maxRobotsBytes);
  const robots = parseRobots(url, text);
  return {
    isAllowed: (address) => robots.isAllowed(address, robotsAgent) ?? true,
    crawlDelayMs: delayOf(site, robots.getCrawlDelay(robotsAgent) ?? 0),
    sitemaps: robots.getSitemaps(),
  };
}

/** As much of a text as may be read: what stands behind it is not known, as it is to other crawlers. */
async function readStart(response: HttpAnswer, url: string, mostBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let leftBytes = mostBytes;
  for await (const chunk of readBody(response, url, Infinity)) {
    text += decoder.decode(chunk.subarray(0, leftBytes), { stream: true });
    leftBytes -= chunk.byteLength;
    if (leftBytes <= 0) break;
  }
  // The last line may be half a rule.
  return leftBytes < 0 ? text.slice(0, text.lastIndexOf("\n") + 1) : text + decoder.decode();
}

/** @param wished in seconds, and NaN where it is no number */
function delayOf(site: Site, wished: number): number {
  const delayMs = wished > 0 ? wished * 1000 : 0;
  if (delayMs <= maxCrawlDelayMs) return delayMs;
  throw new AnnealError(
    "SOURCE_FORBIDDEN",
    `The robots.txt of ${site.origin} asks for ${wished.toLocaleString("en")} seconds between two pages, and a crawl waits for one day at most.`,
    { action: "Ask the site's owner for a shorter crawl-delay for AnnealBot, or leave the site out." },
  );
}
