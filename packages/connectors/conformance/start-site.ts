import { hash } from "node:crypto";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { RemoteTrouble } from "./remote-trouble.ts";

export type SitePage = {
  body: string | Uint8Array;
  status?: number;
  headers?: Record<string, string>;
  /** The answer waits for it. */
  gate?: Promise<void>;
};

export type SiteRequest = { path: string; headers: IncomingHttpHeaders; atMs: number };

export type TestSite = {
  origin: string;
  /** By path, query included. What is not here is 404. */
  pages: Map<string, SitePage>;
  /** Asked before `pages`, for answers that depend on who asks; null leaves the request to them. */
  respond: (request: SiteRequest) => SitePage | null;
  /** What was answered since the last look: "200 /path". */
  takeLog(): string[];
  /** Every request that came, in order. */
  requests: SiteRequest[];
  /** Stands before everything. */
  trouble: RemoteTrouble;
  /** Sockets that were opened, whether a request came on them or not. */
  connections(): number;
  /** Takes the server down; start() brings it back at the same address. */
  stop(): Promise<void>;
  start(): Promise<void>;
};

/** A website that can be changed while it is crawled; sends ETags and honours conditional requests. */
export async function startSite(): Promise<TestSite> {
  const pages = new Map<string, SitePage>();
  let log: string[] = [];
  let server: Server | null = null;
  let port = 0;
  let connections = 0;
  const requests: SiteRequest[] = [];

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? "";
    const received = { path, headers: request.headers, atMs: performance.now() };
    requests.push(received);
    const page: SitePage = site.respond(received) ??
      pages.get(path) ?? { body: "<title>Not found</title>", status: 404 };
    await page.gate;
    const bytes = Buffer.from(page.body);
    const etag = `"${hash("sha256", bytes).slice(0, 16)}"`;
    const status = page.status ?? (request.headers["if-none-match"] === etag ? 304 : 200);
    log.push(`${status} ${request.url}`);
    response.writeHead(status, { "content-type": "text/html; charset=utf-8", etag, ...page.headers });
    response.end(status === 304 ? undefined : bytes);
  };
  const trouble = new RemoteTrouble({
    busy: (waitSeconds) => ({ status: 503, headers: { "retry-after": String(waitSeconds) }, body: "" }),
    // A website's login ends in ways of its own.
    credentials: () => null,
  });
  const site: TestSite = {
    trouble,
    get origin() {
      return `http://127.0.0.1:${port}`;
    },
    pages,
    respond: () => null,
    requests,
    connections: () => connections,
    takeLog() {
      const taken = log;
      log = [];
      return taken;
    },
    async start() {
      server = createServer(trouble.before((request, response) => void answer(request, response)));
      server.on("connection", () => (connections += 1));
      const listening = server;
      await new Promise<void>((resolve) => listening.listen(port, "127.0.0.1", resolve));
      port = (listening.address() as AddressInfo).port;
    },
    async stop() {
      const closing = server;
      server = null;
      closing?.closeAllConnections();
      await new Promise<void>((resolve) => (closing ? closing.close(() => resolve()) : resolve()));
    },
  };
  await site.start();
  return site;
}

export function linksTo(paths: Iterable<string>): string {
  return [...paths].map((path) => `<a href="${path}">${path}</a>`).join("\n");
}
