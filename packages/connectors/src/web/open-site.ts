import { AnnealError } from "@anneal/core/errors";
import { followRedirects } from "./follow-redirects.ts";
import { expiredLogin } from "./login-state.ts";
import { loadRobots, type RobotsRules } from "./robots.ts";
import { isLoginAddress } from "./signed-out.ts";
import { maxSleptDelayMs, statusError, type SiteClient } from "./site-client.ts";
import { isSameSite, normaliseUrl, siteOf, type Site } from "./site-url.ts";

export type OpenedSite = {
  site: Site;
  start: string;
  robots: RobotsRules;
  /** Where the address led to, before it was normalised. */
  landed: string;
};

/** Whether its pages are so far apart that each is an attempt of its own. */
export const isSlow = ({ robots }: Pick<OpenedSite, "robots">): boolean => robots.crawlDelayMs > maxSleptDelayMs;

/**
 * Finds where an address really leads, and what its host allows.
 * @param landed where it led to, known from an earlier attempt at this crawl: it is not asked for again
 * @throws AnnealError when there is no site to crawl
 */
export async function openSite(
  client: SiteClient,
  address: string,
  hasLogin: boolean,
  landed?: string,
): Promise<OpenedSite> {
  const url = landed ?? (await findStart(client, address, hasLogin));
  const site = siteOf(new URL(url));
  // From http to https or to www is the same place; elsewhere is a source that a person should name.
  if (!isSameSite(new URL(address), site) && new URL(address).hostname !== site.hostname) {
    throw new AnnealError("INVALID_INPUT", `"${address}" leads to another site, ${site.origin}.`, {
      action: `Use ${site.origin} as the address, if that is the site you mean.`,
    });
  }
  const robots = await loadRobots(client, site);
  client.slowTo(site, robots.crawlDelayMs, landed === undefined);
  const start = normaliseUrl(url, url, [site]) ?? url;
  assertMayStart({ site, robots }, start);
  return { site, start, robots, landed: url };
}

async function findStart(client: SiteClient, address: string, hasLogin: boolean): Promise<string> {
  const { response, url } = await followRedirects(client, address);
  response.discard();
  if (response.status === 404 || response.status === 410) {
    throw new AnnealError("SOURCE_NOT_FOUND", `"${address}" does not exist (${response.status}).`, {
      action: "Check the address in a browser.",
    });
  }
  if (hasLogin && (response.status === 401 || (url !== address && isLoginAddress(url) && !isLoginAddress(address)))) {
    throw expiredLogin(new URL(address).host);
  }
  if (response.status !== 200) throw statusError(address, response.status);
  return url;
}

/** @throws AnnealError where robots.txt forbids to begin */
export function assertMayStart({ site, robots }: Pick<OpenedSite, "site" | "robots">, start: string): void {
  if (robots.isAllowed(start)) return;
  throw new AnnealError("SOURCE_FORBIDDEN", `The robots.txt of ${site.origin} does not let "${start}" be crawled.`, {
    action: "Ask the site's owner to allow AnnealBot, or begin at an address that is allowed.",
  });
}
