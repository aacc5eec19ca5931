import { isAnnealError } from "@anneal/core/errors";
import type { Clock } from "../clock.ts";
import { collectBytes } from "../content.ts";
import { redirectTarget } from "./follow-redirects.ts";
import type { OpenedSite } from "./open-site.ts";
import { PageTime } from "./page-time.ts";
import { loadRobots, type RobotsRules } from "./robots.ts";
import { maxRenderMs, readBody, type SiteClient } from "./site-client.ts";
import { siteOf } from "./site-url.ts";

export type Resource = { status: number; headers: [string, string][]; body: Buffer };

/** What the scripts of pages ask for: as a page itself by robots.txt, and at the pace of its host. */
export type PageResources = {
  /** @param signal ends what the page still waits for */
  begin(signal: AbortSignal): {
    time: PageTime;
    /**
     * @param isScript pages share scripts, and each is asked for once
     * @returns null for what cannot be had, or may not
     * @throws AnnealError RATE_LIMITED when a host of the crawl gives no more, without which the page is not whole
     */
    get(url: string, headers: Record<string, string>, isScript: boolean): Promise<Resource | null>;
  };
};

const maxResourceBytes = 10 * 1024 * 1024;
const maxRedirects = 5;
/** Of all scripts that a crawl keeps for its next pages. */
const maxKeptBytes = 32 * 1024 * 1024;
/** Beside the crawl's own: a page's scripts could name hosts without end. */
const maxOtherHosts = 1000;

export function createPageResources(options: {
  client: SiteClient;
  /** The crawl's own site that an address lies in. */
  siteAt(url: string): OpenedSite | undefined;
  hasLogin: boolean;
  clock: Clock;
}): PageResources {
  const { client, siteAt, clock } = options;
  const others = new Map<string, Promise<RobotsRules | null>>();
  const kept = new Map<string, Resource>();
  let keptBytes = 0;

  const loadOthers = async (url: string): Promise<RobotsRules | null> => {
    const site = siteOf(new URL(url));
    try {
      const robots = await loadRobots(client, site);
      client.slowTo(site, robots.crawlDelayMs);
      return robots;
    } catch {
      return null;
    }
  };

  const isAllowed = async (url: string): Promise<boolean> => {
    const own = siteAt(url);
    if (own !== undefined) return own.robots.isAllowed(url);
    const { origin } = new URL(url);
    if (!others.has(origin) && others.size < maxOtherHosts) others.set(origin, loadOthers(url));
    return (await others.get(origin))?.isAllowed(url) ?? false;
  };

  const ask = async (start: string, given: Record<string, string>, render: PageTime): Promise<Resource | null> => {
    const { authorization, ...passed } = given;
    const { host } = new URL(start);
    let url = start;
    for (let hop = 0; hop <= maxRedirects; hop += 1) {
      if (!(await isAllowed(url))) return null;
      // A token that the page's scripts keep goes where they send it, and not on to where that place redirects.
      const isSent = options.hasLogin && authorization !== undefined && new URL(url).host === host;
      const response = await client.get(url, { ...passed, ...(isSent ? { authorization } : {}) }, { render });
      const target = redirectTarget(response, url);
      if (target === null) {
        const body = Buffer.from(await collectBytes(readBody(response, url, maxResourceBytes)));
        return { status: response.status, headers: [...response.headers], body };
      }
      response.discard();
      url = target;
    }
    return null;
  };

  const keep = (name: string, resource: Resource) => {
    const { status, headers, body } = resource;
    const isShort = headers.some(([header, value]) => header === "cache-control" && /no-store/i.test(value));
    if (status !== 200 || isShort || keptBytes + body.byteLength > maxKeptBytes || kept.has(name)) return;
    keptBytes += body.byteLength;
    kept.set(name, resource);
  };

  return {
    begin(signal) {
      const time = new PageTime(signal, clock.now() + maxRenderMs);
      return {
        time,
        async get(url, headers, isScript) {
          // Which origins may use it is said to the one that asks.
          const name = `${headers["origin"] ?? ""} ${url}`;
          const before = isScript ? kept.get(name) : undefined;
          if (before !== undefined) return before;
          try {
            const resource = await ask(url, headers, time);
            if (isScript && resource !== null) keep(name, resource);
            return resource;
          } catch (error) {
            // Without what other hosts add, a page is still the site's.
            if (isAnnealError(error) && error.code === "RATE_LIMITED" && siteAt(url) !== undefined) throw error;
            return null;
          }
        },
      };
    },
  };
}
