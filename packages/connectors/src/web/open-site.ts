import { AnnealError } from "@anneal/core/errors";
import type { WebConfig } from "./config.ts";
import { followRedirects } from "./follow-redirects.ts";
import { loadRobots, type RobotsRules } from "./robots.ts";
import { discard, statusError, type SiteClient } from "./site-client.ts";
import { isSameSite, normaliseUrl, siteOf, type Site } from "./site-url.ts";

export type OpenedSite = { site: Site; start: string; robots: RobotsRules };

/**
 * Finds where the start address really leads, and what the site allows.
 * @throws AnnealError when there is no site to crawl
 */
export async function openSite(client: SiteClient, config: WebConfig): Promise<OpenedSite> {
  const { response, url } = await followRedirects(client, config.url);
  await discard(response);
  if (response.status === 404 || response.status === 410) {
    throw new AnnealError("SOURCE_NOT_FOUND", `"${config.url}" does not exist (${response.status}).`, {
      action: "Check the address in a browser.",
    });
  }
  if (response.status !== 200) throw statusError(config.url, response.status);
  const site = siteOf(new URL(url));
  // From http to https or to www is the same place; elsewhere is a source that a person should name.
  if (!isSameSite(new URL(config.url), site) && new URL(config.url).hostname !== site.hostname) {
    throw new AnnealError("INVALID_INPUT", `"${config.url}" leads to another site, ${site.origin}.`, {
      action: `Use ${site.origin} as the address, if that is the site you mean.`,
    });
  }
  const robots = await loadRobots(client, site);
  client.slowTo(robots.crawlDelayMs);
  const start = normaliseUrl(url, url, site) ?? url;
  if (!robots.isAllowed(start)) {
    throw new AnnealError("SOURCE_FORBIDDEN", `The robots.txt of ${site.origin} does not let "${start}" be crawled.`, {
      action: "Ask the site's owner to allow AnnealBot, or begin at an address that is allowed.",
    });
  }
  return { site, start, robots };
}
