import { AnnealError } from "@anneal/core/errors";
import { chromium, type Browser, type BrowserContext, type Route } from "playwright-core";
import type { GuardedFetch } from "../guarded-fetch.ts";
import { collectBytes } from "../content.ts";
import { redirectTarget } from "./follow-redirects.ts";
import type { LoginState } from "./login-state.ts";
import { readBody } from "./site-client.ts";

export type PageRenderer = {
  /** @returns the page's HTML once its scripts have come to rest */
  render(url: string, html: Uint8Array, signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
};

export type RendererOptions = {
  chromiumPath: string;
  userAgent: string;
  /** What goes with every request to an address, the cookies of a login included. */
  headersFor(url: string): Record<string, string>;
  login: LoginState | null;
  fetch: GuardedFetch;
  timeoutMs: number;
};

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Whatever would leave the browser by itself (sockets, WebRTC, prefetch) finds no way out.
  "--host-resolver-rules=MAP * ~NOTFOUND",
  // The second name is the one of older versions: a browser says nothing of a flag that it does not know.
  "--webrtc-ip-handling-policy=disable_non_proxied_udp",
  "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
];

const maxResourceBytes = 10 * 1024 * 1024;
const maxResources = 200;
const maxRedirects = 5;
const maxQuietMs = 5000;
const passedHeaders = ["accept", "accept-language", "origin", "referer"];

/**
 * A browser that never connects anywhere: every request is answered from here, by the same guarded fetch as the rest
 * of the crawl, so that a page's scripts reach no address that the source may not. The browser starts at first need, and
 * anew where it has ended: a page can take all of its memory.
 */
export function createPageRenderer(options: RendererOptions): PageRenderer {
  let browser: Promise<Browser> | null = null;
  const running = (): Promise<Browser> => {
    if (browser !== null) return browser;
    const launching = launch(options.chromiumPath);
    browser = launching;
    const ended = () => {
      if (browser === launching) browser = null;
    };
    launching.then((started) => started.on("disconnected", ended), ended);
    return launching;
  };
  return {
    async render(url, html, signal) {
      const context = await (
        await running()
      ).newContext({
        userAgent: options.userAgent,
        serviceWorkers: "block",
        acceptDownloads: false,
        // A dead end for anything that is not routed.
        proxy: { server: "http://127.0.0.1:9" },
        ...(options.login === null ? {} : { storageState: storedStateOf(options.login) }),
      });
      // A script that never yields hangs the page's own calls too, so the bound is outside of it.
      const overdue = new AbortController();
      const timer = setTimeout(() => {
        overdue.abort(new DOMException("The page took too long.", "TimeoutError"));
      }, 2 * options.timeoutMs);
      try {
        const bound = AbortSignal.any([signal, overdue.signal]);
        return await orAborted(renderIn(context, url, html, bound, options), bound);
      } catch (error) {
        signal.throwIfAborted();
        throw new AnnealError("SOURCE_UNREACHABLE", `"${url}" could not be rendered.`, {
          action: "Set JavaScript to never for this source if its pages can do without.",
          details: { reason: error instanceof Error ? error.name : "unknown" },
          retryable: true,
        });
      } finally {
        clearTimeout(timer);
        await context.close().catch(() => {});
      }
    },
    async close() {
      await browser?.then((started) => started.close()).catch(() => {});
    },
  };
}

async function launch(executablePath: string): Promise<Browser> {
  try {
    return await chromium.launch({ executablePath, args: flags });
  } catch (error) {
    throw new AnnealError("PREREQUISITE_MISSING", `The browser at "${executablePath}" does not start.`, {
      action: "Install Chromium, or name its path with ANNEAL_CHROMIUM.",
      cause: error,
    });
  }
}

async function renderIn(
  context: BrowserContext,
  url: string,
  html: Uint8Array,
  signal: AbortSignal,
  options: RendererOptions,
): Promise<string> {
  const page = await context.newPage();
  page.on("dialog", (dialog) => void dialog.dismiss().catch(() => {}));
  // No page needs it to say what it says, and the flags against it have changed their names before.
  await context.addInitScript(
    "for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection']) delete globalThis[name]",
  );
  await context.routeWebSocket("**/*", (socket) => void socket.close());
  let documentServed = false;
  let resources = 0;
  await context.route("**/*", async (route) => {
    const request = route.request();
    try {
      if (request.isNavigationRequest()) {
        // The page that was fetched already, once. Where its scripts would lead is another page; "no content" keeps
        // the browser on this one, where a refusal would put an error page in its place.
        if (documentServed || request.frame() !== page.mainFrame()) return await route.fulfill({ status: 204 });
        documentServed = true;
        return await route.fulfill({ contentType: "text/html; charset=utf-8", body: Buffer.from(html) });
      }
      resources += 1;
      if (resources > maxResources) return await route.abort();
      await serveResource(route, signal, options);
    } catch {
      await route.abort().catch(() => {});
    }
  });
  await page.goto(url, { waitUntil: "domcontentloaded", timeout: options.timeoutMs });
  await page.waitForLoadState("networkidle", { timeout: Math.min(maxQuietMs, options.timeoutMs) }).catch(() => {});
  return page.content();
}

/** Only reads, and only what can bring text: a crawl submits nothing. */
async function serveResource(route: Route, signal: AbortSignal, options: RendererOptions): Promise<void> {
  const request = route.request();
  const wanted = ["script", "xhr", "fetch", "stylesheet", "other"].includes(request.resourceType());
  if (request.method() !== "GET" || !wanted) return route.abort();
  const all = await request.allHeaders();
  const passed: Record<string, string> = {};
  for (const name of passedHeaders) if (all[name] !== undefined) passed[name] = all[name];
  let url = request.url();
  const { host } = new URL(url);
  for (let hop = 0; hop <= maxRedirects; hop += 1) {
    // A token that the page's scripts keep goes where they send it, and not on to where that place redirects.
    const token = all["authorization"];
    const isSent = options.login !== null && token !== undefined && new URL(url).host === host;
    const headers = { ...passed, ...options.headersFor(url), ...(isSent ? { authorization: token } : {}) };
    const response = await options.fetch.fetch(url, { headers, signal });
    options.login?.renew(url, response.headers.getSetCookie());
    const target = redirectTarget(response, url);
    if (target === null) {
      const body = Buffer.from(await collectBytes(readBody(response, url, maxResourceBytes)));
      return route.fulfill({ status: response.status, headers: headersFor(response.headers), body });
    }
    response.discard();
    url = target;
  }
  return route.abort();
}

/** The body is decoded by now, and cookies are nobody's. */
function headersFor(headers: Iterable<[string, string]>): Record<string, string> {
  const dropped = new Set(["content-encoding", "content-length", "transfer-encoding", "set-cookie", "connection"]);
  return Object.fromEntries([...headers].filter(([name]) => !dropped.has(name.toLowerCase())));
}

function storedStateOf(login: LoginState) {
  return {
    cookies: login.cookies().map(({ name, value, domain, path, expires, httpOnly, secure, sameSite }) => {
      return { name, value, domain, path, expires, httpOnly, secure, sameSite };
    }),
    origins: login.origins().map(({ origin, localStorage }) => {
      return { origin, localStorage: localStorage.map(({ name, value }) => ({ name, value })) };
    }),
  };
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return Promise.race([
    work,
    new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    }),
  ]);
}
