import { AnnealError, isAnnealError } from "@anneal/core/errors";
import type { ConnectContext } from "../connector.ts";
import { createGuardedFetch } from "../guarded-fetch.ts";
import { isExcluded, isIncluded } from "../path-filter.ts";
import { createCanonicalPages } from "./canonical-pages.ts";
import { identityOf, type WebConfig, type WebSecrets } from "./config.ts";
import { createLoginKeeper } from "./keep-login.ts";
import type { PageLoader } from "./load-page.ts";
import { readLoginState } from "./login-state.ts";
import { createMissingPages } from "./missing-pages.ts";
import { assertMayStart, isSlow, openSite, type OpenedSite } from "./open-site.ts";
import { openHostPaces } from "./host-paces.ts";
import { observedFetch } from "./observed-fetch.ts";
import { createPageReader } from "./page-reader.ts";
import { createPageRenderer } from "./page-renderer.ts";
import { readHtml } from "./read-html.ts";
import { isLogoutAddress } from "./signed-out.ts";
import { createPageResources } from "./page-resources.ts";
import { createSiteClient, steadyClock } from "./site-client.ts";
import { isSameSite, isSkippedFile, normaliseUrl, pathOf, type Site } from "./site-url.ts";

/** Everything that a crawl asks with. */
export type OpenedCrawl = {
  loader: PageLoader;
  opened: OpenedSite[];
  starts: string[];
  feeds: string[];
  /** Hosts beside the first that could not be opened, and feeds and sitemaps of none of them. */
  failures: { ref: string; error: AnnealError }[];
  /** Where the addresses led to, which a crawl that waits between its pages does not ask for again; null for others. */
  landed: Record<string, string> | null;
};

/** What must be closed again, whether the sites open or not. */
export function connectTo(config: WebConfig, secrets: WebSecrets, context: ConnectContext) {
  const { chromiumPath, limits, signal, clock = steadyClock } = context;
  const addresses = [config.url, ...config.seeds];
  const hosts = [...new Set(addresses.map((address) => new URL(address).hostname))];
  const login = secrets.storageState === undefined ? null : readLoginState(secrets.storageState, hosts, Date.now());
  const guarded = createGuardedFetch({
    allowPrivateHosts: config.allowPrivateHosts,
    timeoutMs: limits.requestTimeoutMs,
  });
  const fetch = observedFetch(guarded, addresses, context);
  const identity = identityOf(config);
  const paces = openHostPaces(config);
  const keepLogin =
    login === null || secrets.storageState === undefined || context.renewSecrets === undefined
      ? undefined
      : createLoginKeeper(login, secrets.storageState, context.renewSecrets);
  const client = createSiteClient({ fetch, identity, login, keepLogin, paces, signal, clock });
  const opened: OpenedSite[] = [];
  const pages = context.pageReader ?? createPageReader(signal, limits.pages);
  const siteAt = (url: string) => opened.find(({ site }) => isSameSite(new URL(url), site));
  const hasLogin = login !== null;
  const renderer =
    chromiumPath === null || config.render === "never"
      ? null
      : createPageRenderer({
          chromiumPath,
          homeFolder: context.tempDir,
          userAgent: identity.userAgent,
          login,
          resources: createPageResources({ client, siteAt, hasLogin, clock }),
          timeoutMs: limits.requestTimeoutMs,
        });

  /**
   * @param before what an earlier attempt at this crawl found out
   * @throws AnnealError when there is nothing to crawl at the first address
   */
  async function open(before: Record<string, string> | null = null): Promise<OpenedCrawl> {
    const landed: Record<string, string> = {};
    const starts: string[] = [];
    const failures: OpenedCrawl["failures"] = [];
    for (const address of addresses) {
      const known = siteAt(address);
      try {
        const site = known ?? (await openSite(client, address, hasLogin, before?.[address]));
        const start = known === undefined ? site.start : (normaliseUrl(address, address, [site.site]) ?? address);
        assertMayStart(site, start);
        if (known === undefined) {
          opened.push(site);
          landed[address] = site.landed;
        }
        starts.push(start);
      } catch (error) {
        if (opened.length === 0 || !isAnnealError(error)) throw error;
        failures.push({ ref: address, error });
      }
    }
    const sites = opened.map(({ site }) => site);
    const feeds = config.feeds.flatMap((feed) => normaliseUrl(feed, feed, sites) ?? []);
    for (const ref of [...config.feeds, ...config.sitemaps]) {
      if (normaliseUrl(ref, ref, sites) === null) failures.push({ ref, error: elsewhere(ref) });
    }
    const loader = loaderOf(sites, starts);
    return { loader, opened, starts, feeds, failures, landed: opened.some(isSlow) ? landed : null };
  }

  function loaderOf(sites: Site[], starts: string[]): PageLoader {
    const reader = { config, pages, renderer, limits, signal };
    const started = new Set(starts);
    const isAllowed = (url: string) => siteAt(url)?.robots.isAllowed(url) ?? false;
    const isAsked = (url: string) => !isSkippedFile(url) && !(hasLogin && isLogoutAddress(url));
    const isWanted = (url: string, isFeed: boolean) =>
      !isExcluded(pathOf(url), config) &&
      // The first pages and feeds are always fetched for their links, even where only others are wanted as documents.
      (isFeed || started.has(url) || isIncluded(pathOf(url), config));
    const mayVisit = (url: string, isFeed = false) => isAsked(url) && isWanted(url, isFeed) && isAllowed(url);
    const whyNot = (url: string, isFeed = false) => {
      if (!isAsked(url)) return null;
      if (!isWanted(url, isFeed)) return "excluded";
      return isAllowed(url) ? null : "robots";
    };
    const missingPages = createMissingPages(async (url) => {
      const place = siteAt(url);
      // Where pages are minutes apart, none is spent on addresses that nobody named.
      if (place === undefined || !isAllowed(url) || isSlow(place)) return null;
      const response = await client.get(url);
      if (response.status === 200 && /^text\/html/i.test(response.headers.get("content-type") ?? "")) {
        return (await readHtml(reader, url, response)).facts;
      }
      response.discard();
      return null;
    }, starts);
    const canonicalPages = createCanonicalPages({ ...reader, client, sites, mayVisit });
    const { tempDir } = context;
    return { ...reader, sites, client, mayVisit, whyNot, tempDir, hasLogin, missingPages, canonicalPages };
  }

  return {
    open,
    async close() {
      paces.close();
      if (pages !== context.pageReader) await pages.close();
      await renderer?.close();
      await fetch.close();
    },
  };
}

function elsewhere(address: string): AnnealError {
  return new AnnealError("INVALID_INPUT", `"${address}" lies on none of the hosts that are crawled.`, {
    action: `Add ${new URL(address).origin} to “More addresses” if its pages are wanted, or leave it out.`,
  });
}
