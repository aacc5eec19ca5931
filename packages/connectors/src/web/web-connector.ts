import type { Change } from "@anneal/core/connect/change";
import {
  defineConnector,
  type CapabilityCheck,
  type CheckResult,
  type ConnectContext,
  type ReadRequest,
} from "../connector.ts";
import { failedCheck } from "../failure.ts";
import { createGuardedFetch } from "../guarded-fetch.ts";
import { isIncluded } from "../path-filter.ts";
import { addToPreview, describePreview, type Preview } from "../preview.ts";
import { deleteMissing } from "../reconcile.ts";
import { SeenRefs } from "../seen-refs.ts";
import { userAgentOf, webConfigSchema, webSecretSchema, type WebConfig, type WebSecrets } from "./config.ts";
import { crawlSite, type Visit } from "./crawl.ts";
import { loadPage, readMissingPage, type PageLoader } from "./load-page.ts";
import { openSite } from "./open-site.ts";
import { createPageRenderer } from "./page-renderer.ts";
import { createSiteClient } from "./site-client.ts";
import { loadSitemaps } from "./sitemap.ts";
import { normaliseUrl, pathOf, type Site } from "./site-url.ts";

export const webConnector = defineConnector<WebConfig, WebSecrets>({
  kind: "web",
  title: "Website",
  changeModel: "conditional",
  capabilities: { permissions: false, deletions: true, moves: false },
  configSchema: webConfigSchema,
  secretSchema: webSecretSchema,
  check: checkSite,
  read: readSite,
});

function connectTo(config: WebConfig, context: ConnectContext) {
  const fetch = createGuardedFetch({
    allowPrivateHosts: config.allowPrivateHosts,
    timeoutMs: context.limits.requestTimeoutMs,
  });
  const { requestsPerSecond } = config;
  const { chromiumPath, limits, tempDir, signal } = context;
  const userAgent = userAgentOf(config);
  const client = createSiteClient({ fetch, userAgent, requestsPerSecond, signal });
  const renderer =
    chromiumPath === null || config.render === "never"
      ? null
      : createPageRenderer({ chromiumPath, userAgent, fetch, timeoutMs: limits.requestTimeoutMs });
  const loaderOf = (site: Site): PageLoader => {
    return { config, site, client, renderer, limits, tempDir, signal, missingPageText: null };
  };
  const close = async () => {
    await renderer?.close();
    await fetch.close();
  };
  return { client, loaderOf, close };
}

async function checkSite(config: WebConfig, _secrets: WebSecrets, context: ConnectContext): Promise<CheckResult> {
  const { client, loaderOf, close } = connectTo(config, context);
  try {
    const { site, start, robots } = await openSite(client, config);
    const { urls } = await loadSitemaps(client, site, robots.sitemaps, config.maxPages);
    const named = urls
      .flatMap((url) => normaliseUrl(url, start, site) ?? [])
      .filter((url) => isIncluded(pathOf(url), config));
    const holds =
      named.length > 0
        ? `its sitemap names ${describePages(named, urls.length < config.maxPages)}`
        : await describeStart(loaderOf(site), start);
    const checks: CapabilityCheck[] = [
      { capability: "read", status: "ok", message: `${site.origin} answers, and its robots.txt lets us in.` },
      {
        capability: "sitemap",
        status: "ok",
        message: urls.length > 0 ? `The sitemap names ${urls.length} pages.` : "No sitemap; pages are found by links.",
      },
      config.contact === null
        ? {
            capability: "identity",
            status: "warning",
            message: "Give a contact, so that the site's owner can reach you.",
          }
        : { capability: "identity", status: "ok", message: `The site sees "${userAgentOf(config)}".` },
      context.chromiumPath === null && config.render !== "never"
        ? {
            capability: "javascript",
            status: "warning",
            message: "There is no browser: pages made by scripts are left out.",
          }
        : { capability: "javascript", status: "ok", message: "Pages made by scripts can be read." },
      {
        capability: "permissions",
        status: "warning",
        message: "A website has no permissions to read: every page gets the source's default audience.",
      },
    ];
    return { checks, summary: `${site.origin} answers, and ${holds}.`, error: null };
  } catch (error) {
    return failedCheck("read", error);
  } finally {
    await close();
  }
}

async function describeStart(loader: PageLoader, start: string): Promise<string> {
  const outcome = await loadPage(loader, start, null);
  switch (outcome.type) {
    case "failed":
      throw outcome.error;
    case "document": {
      const others = outcome.links.filter((link) => link !== start);
      return `its first page, “${outcome.item.title}”, leads to ${describePages(others, true)}`;
    }
    case "passage":
      return `its first page, which is no document itself, leads to ${describePages(outcome.links, true)}`;
    case "not-modified":
    case "gone":
    case "skipped":
      return "its first page is none that is read";
  }
}

function describePages(urls: string[], complete: boolean): string {
  const preview: Preview = { count: 0, complete, samples: [] };
  for (const url of urls) addToPreview(preview, `/${pathOf(url)}`);
  return describePreview(preview, "page");
}

const checkpointEvery = 50;

/**
 * A checkpoint carries no position: a resumed crawl asks for the same pages again, and for those that are stored by
 * conditional requests.
 */
async function* readSite(request: ReadRequest<WebConfig, WebSecrets>): AsyncIterable<Change> {
  const { config, known, context } = request;
  context.signal.throwIfAborted();
  const { client, loaderOf, close } = connectTo(config, context);
  try {
    const { site, start, robots } = await openSite(client, config);
    const loader = loaderOf(site);
    loader.missingPageText = await readMissingPage(loader);
    const sitemaps = await loadSitemaps(client, site, robots.sitemaps, config.maxPages);
    for (const { ref, error } of sitemaps.failures) yield { type: "failure", ref, error: error.toReport() };
    const seeds = [start, ...sitemaps.urls.flatMap((url) => normaliseUrl(url, start, site) ?? [])];

    const crawl = crawlSite(loader, robots, known, seeds);
    const alive = new SeenRefs();
    const gone = new SeenRefs();
    let scanned = 0;
    for await (const visit of crawl.visits) {
      scanned += 1;
      if (visit.outcome.type === "gone") gone.add(visit.url);
      const change = await changeOf(visit);
      if (isAlive(visit)) alive.add(visit.url);
      if (change !== null) yield change;
      if (scanned % checkpointEvery === 0) yield { type: "checkpoint", cursor: { version: 1 }, scanned, total: null };
    }
    const complete = crawl.isComplete() && sitemaps.failures.length === 0;
    // Where the crawl did not get everywhere, only what was seen to be gone is gone.
    yield* deleteMissing(known, context.deletions, (ref) => !alive.has(ref) && (complete || gone.has(ref)));
    yield { type: "checkpoint", cursor: { version: 1 }, scanned, total: scanned };
  } finally {
    await close();
  }
}

function isAlive({ outcome, wanted }: Visit): boolean {
  return wanted && (outcome.type === "document" || outcome.type === "not-modified" || outcome.type === "failed");
}

async function changeOf({ url, outcome, memory, wanted }: Visit): Promise<Change | null> {
  switch (outcome.type) {
    case "failed":
      return { type: "failure", ref: url, error: outcome.error.toReport() };
    case "document":
      if (!wanted) return null;
      return outcome.digest === memory?.digest
        ? null
        : { type: "upsert", item: outcome.item, content: outcome.content };
    case "not-modified":
    case "passage":
    case "gone":
    case "skipped":
      return null;
  }
}
