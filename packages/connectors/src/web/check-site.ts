import type { CapabilityCheck, CheckResult, ConnectContext } from "../connector.ts";
import { failedCheck } from "../failure.ts";
import { addToPreview, describePreview, type Preview } from "../preview.ts";
import { readText } from "../remote/remote-answer.ts";
import { identityOf, type WebConfig, type WebSecrets } from "./config.ts";
import { loadPage, newPage, type PageLoader } from "./load-page.ts";
import { connectTo } from "./open-crawl.ts";
import { isSlow, type OpenedSite } from "./open-site.ts";
import { readBody } from "./site-client.ts";
import { loadSitemaps, sitemapsToRead, type SitemapResult } from "./sitemap.ts";
import { pathOf } from "./site-url.ts";

export async function checkSite(config: WebConfig, secrets: WebSecrets, context: ConnectContext): Promise<CheckResult> {
  let close = async () => {};
  try {
    const connection = connectTo(config, secrets, context);
    close = connection.close;
    const { loader, opened, starts, failures } = await connection.open();
    const [first] = failures;
    if (first !== undefined) throw first.error;
    const origins = loader.sites.map(({ origin }) => origin).join(" and ");
    const answer = loader.sites.length === 1 ? "answers" : "answer";
    const mayRead: CapabilityCheck = {
      capability: "read",
      status: "ok",
      message: `${origins} ${answer}, and robots.txt lets us in.`,
    };
    const slow = opened.find(isSlow);
    if (slow !== undefined) {
      // The start was this turn's page.
      const checks = [mayRead, checkPace(slow), checkIdentity(config), checkPermissions(loader)];
      return { checks, summary: `${origins} ${answer}. ${checkPace(slow).message}`, error: null };
    }
    const sitemaps = await loadSitemaps(loader, sitemapsToRead(config, opened), config.maxPages);
    const named = sitemaps.urls;
    const holds =
      named.length > 0
        ? `its sitemap names ${describePages(named, sitemaps.leftOut === 0)}`
        : await describeStart(loader, starts[0]!);
    const checks: CapabilityCheck[] = [
      mayRead,
      checkSitemaps(sitemaps),
      checkIdentity(config),
      context.chromiumPath === null && config.render !== "never"
        ? {
            capability: "javascript",
            status: "warning",
            message: "There is no browser: pages made by scripts are left out.",
          }
        : { capability: "javascript", status: "ok", message: "Pages made by scripts can be read." },
      ...(await checkLogin(loader, starts[0]!)),
      checkPermissions(loader),
    ];
    return { checks, summary: `${origins} ${answer}, and ${holds}.`, error: null };
  } catch (error) {
    return failedCheck("read", error);
  } finally {
    await close();
  }
}

function checkPace({ site, robots }: OpenedSite): CapabilityCheck {
  const minutes = Math.ceil(robots.crawlDelayMs / 60_000).toLocaleString("en");
  const message = `The robots.txt of ${site.origin} asks for ${minutes} minutes between two pages: one is read at a time, and found by links, not by sitemaps.`;
  return { capability: "pace", status: "warning", message };
}

function checkSitemaps({ urls, failures, leftOut }: SitemapResult): CapabilityCheck {
  const [first] = failures;
  if (first !== undefined) {
    const { message, action } = first.error;
    return { capability: "sitemap", status: "warning", message, ...(action ? { action } : {}) };
  }
  const count = urls.length.toLocaleString("en");
  const named = `The sitemap names ${leftOut > 0 ? "at least " : ""}${count} pages.`;
  return {
    capability: "sitemap",
    status: "ok",
    message: urls.length > 0 ? named : "No sitemap names pages that are wanted; they are found by links.",
  };
}

function checkPermissions({ hasLogin }: PageLoader): CapabilityCheck {
  const pages = hasLogin ? "every page, those behind the login too," : "every page";
  const message = `A website has no permissions to read: ${pages} gets the source's default audience.`;
  return { capability: "permissions", status: "warning", message };
}

function checkIdentity(config: WebConfig): CapabilityCheck {
  const { userAgent, from } = identityOf(config);
  if (config.contact === null && from === null) {
    const message = "Give a contact, so that the site's owner can reach you.";
    return { capability: "identity", status: "warning", message };
  }
  const sender = from === null ? "" : ` and From: ${from}`;
  return { capability: "identity", status: "ok", message: `The site sees "${userAgent}"${sender}.` };
}

/** A login that changes nothing is most likely one that has expired. */
async function checkLogin(loader: PageLoader, start: string): Promise<CapabilityCheck[]> {
  if (!loader.hasLogin) return [];
  const [mine, anybodys] = await Promise.all(
    [false, true].map(async (anonymous) => {
      const response = await loader.client.get(start, {}, { anonymous });
      return `${response.status} ${await readText(readBody(response, start, loader.limits.documentBytes))}`;
    }),
  );
  return [
    mine === anybodys
      ? {
          capability: "login",
          status: "warning",
          message: "The first page is the same with and without the login; look whether it has expired.",
        }
      : { capability: "login", status: "ok", message: "The first page answers to the login." },
  ];
}

async function describeStart(loader: PageLoader, start: string): Promise<string> {
  const outcome = await loadPage(loader, start, newPage);
  switch (outcome.type) {
    case "failed":
      throw outcome.error;
    case "document": {
      const others = outcome.links.filter((link) => link !== start);
      return `its first page, “${outcome.item.title}”, leads to ${describePages(others, true)}`;
    }
    case "passage":
      return `its first page, which is no document itself, leads to ${describePages(outcome.links, true)}`;
    case "feed":
      return `its first page is a feed that names ${describePages(outcome.links, true)}`;
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
