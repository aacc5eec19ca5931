import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Change } from "@anneal/core/connect/change";
import { defaultLimits, type ConnectContext } from "../src/connector.ts";
import { webConfigSchema, type WebConfig, type WebSecrets } from "../src/web/config.ts";
import { createPageReader } from "../src/web/page-reader.ts";
import { webConnector } from "../src/web/web-connector.ts";
import type { MemoryTarget } from "./memory-target.ts";
import { startSite, type TestSite } from "./start-site.ts";
import { deletionsPass } from "./test-context.ts";

export const quickCrawl = {
  requestsPerSecond: 1000,
  concurrency: 4,
  allowPrivateHosts: true,
  render: "never",
} as const;

/** A site, and a crawl of it as the worker would run it. */
export type WebCrawl = {
  site: TestSite;
  context: ConnectContext;
  secrets: WebSecrets;
  page(path: string, body: string, headers?: Record<string, string>, status?: number): void;
  configOf(config?: Partial<WebConfig>): WebConfig;
  read(target: MemoryTarget, config?: Partial<WebConfig>): AsyncIterable<Change>;
  sync(target: MemoryTarget, config?: Partial<WebConfig>): Promise<MemoryTarget>;
  /** Of the documents of this site. */
  paths(target: MemoryTarget): string[];
  stop(): Promise<void>;
};

export async function startWebCrawl(): Promise<WebCrawl> {
  const site = await startSite();
  const pageReader = createPageReader(new AbortController().signal);
  const context: ConnectContext = {
    // A process for each of hundreds of crawls takes longer than they do.
    pageReader,
    signal: new AbortController().signal,
    tempDir: await mkdtemp(join(tmpdir(), "anneal-web-")),
    limits: { ...defaultLimits, requestTimeoutMs: 10_000 },
    deletions: deletionsPass,
    chromiumPath: null,
    ownFolders: [],
    python: null,
  };
  const crawl: WebCrawl = {
    site,
    context,
    secrets: {},
    page(path, body, headers = {}, status) {
      site.pages.set(path, { body, headers, ...(status === undefined ? {} : { status }) });
    },
    configOf: (config = {}) => webConfigSchema.parse({ ...quickCrawl, url: `${site.origin}/`, ...config }),
    read: (target, config) =>
      webConnector.read({
        config: crawl.configOf(config),
        secrets: crawl.secrets,
        cursor: target.cursor,
        journal: target.journal(),
        known: target.known(),
        context: crawl.context,
      }),
    async sync(target, config) {
      await target.apply(crawl.read(target, config));
      return target;
    },
    paths: (target) => [...target.documents.keys()].map((ref) => ref.slice(site.origin.length)).sort(),
    async stop() {
      await pageReader.close();
      await site.stop();
      await rm(context.tempDir, { recursive: true, force: true });
    },
  };
  return crawl;
}

export const testChromiumPath =
  ["/usr/bin/chromium", process.env.ANNEAL_CHROMIUM].find((path) => path && existsSync(path)) ?? null;
