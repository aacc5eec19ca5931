import { AnnealError, isAnnealError } from "@anneal/core/errors";
import { chromium, type Browser, type BrowserContext, type Route } from "playwright-core";
import type { LoginState } from "./login-state.ts";
import type { PageResources } from "./page-resources.ts";

export type PageRenderer = {
  /**
   * @returns the page's HTML once its scripts have come to rest
   * @throws AnnealError RATE_LIMITED when a host of the crawl does not give in time what they ask for
   */
  render(url: string, html: Uint8Array, signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
};

export type RendererOptions = {
  chromiumPath: string;
  /** What the browser writes beside its profile goes there; whoever made the folder takes it away. */
  homeFolder: string;
  userAgent: string;
  login: LoginState | null;
  resources: PageResources;
  /** Half of what a page may take itself. */
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

/** Where programs, libraries and fonts are, where temporary files go, and the language. */
const passedVariables = [
  "PATH",
  "LD_LIBRARY_PATH",
  "FONTCONFIG_FILE",
  "FONTCONFIG_PATH",
  "TMPDIR",
  "LANG",
  "LC_ALL",
  "TZ",
];
const maxResources = 200;
const maxQuietMs = 5000;
const passedHeaders = ["accept", "accept-language", "authorization", "origin", "referer"];

/**
 * A browser that never connects anywhere: every request is answered from here, by the same client as the rest of the
 * crawl, so that a page's scripts reach no address that the source may not. The browser starts at first need, and
 * anew where it has ended: a page can take all of its memory.
 */
export function createPageRenderer(options: RendererOptions): PageRenderer {
  let browser: Promise<Browser> | null = null;
  const running = (): Promise<Browser> => {
    if (browser !== null) return browser;
    const launching = launch(options);
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
      const end = new AbortController();
      const bound = AbortSignal.any([signal, end.signal]);
      const resources = options.resources.begin(bound);
      // A script that never yields hangs the page's own calls too, so the bound is outside of it.
      resources.time.after(2 * options.timeoutMs, () => {
        end.abort(new DOMException("The page took too long.", "TimeoutError"));
      });
      try {
        bound.throwIfAborted();
        return await orAborted(
          renderIn(context, url, html, resources, (error) => end.abort(error)),
          bound,
        );
      } catch (error) {
        signal.throwIfAborted();
        if (isAnnealError(error)) throw error;
        throw new AnnealError("SOURCE_UNREACHABLE", `"${url}" could not be rendered.`, {
          action: "Set JavaScript to never for this source if its pages can do without.",
          details: { reason: error instanceof Error ? error.name : "unknown" },
          retryable: true,
        });
      } finally {
        end.abort();
        await context.close().catch(() => {});
      }
    },
    async close() {
      await browser?.then((started) => started.close()).catch(() => {});
    },
  };
}

async function launch({ chromiumPath, homeFolder }: RendererOptions): Promise<Browser> {
  // What else the worker was started with, its secrets, is nothing for a process that runs other people's scripts.
  const env = Object.fromEntries(passedVariables.map((name) => [name, process.env[name]]));
  try {
    return await chromium.launch({ executablePath: chromiumPath, args: flags, env: { ...env, HOME: homeFolder } });
  } catch (error) {
    throw new AnnealError("PREREQUISITE_MISSING", `The browser at "${chromiumPath}" does not start.`, {
      action: "Install Chromium, or name its path with ANNEAL_CHROMIUM.",
      cause: error,
    });
  }
}

type Begun = ReturnType<PageResources["begin"]>;

/** @param giveUp called where the page cannot become whole */
async function renderIn(
  context: BrowserContext,
  url: string,
  html: Uint8Array,
  resources: Begun,
  giveUp: (error: unknown) => void,
): Promise<string> {
  const page = await context.newPage();
  page.on("dialog", (dialog) => void dialog.dismiss().catch(() => {}));
  // No page needs it to say what it says, and the flags against it have changed their names before.
  await context.addInitScript(
    "for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection']) delete globalThis[name]",
  );
  await context.routeWebSocket("**/*", (socket) => void socket.close());
  let documentServed = false;
  let count = 0;
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
      count += 1;
      if (count > maxResources) return await route.abort();
      await serveResource(route, resources);
    } catch (error) {
      if (isAnnealError(error)) giveUp(error);
      await route.abort().catch(() => {});
    }
  });
  await page.goto(url, { waitUntil: "domcontentloaded", timeout: 0 });
  const { promise: longEnough, resolve } = Promise.withResolvers<void>();
  resources.time.after(maxQuietMs, resolve);
  await Promise.race([page.waitForLoadState("networkidle", { timeout: 0 }), longEnough]);
  return page.content();
}

/** Only reads, and only what can bring text: a crawl submits nothing. */
async function serveResource(route: Route, resources: Begun): Promise<void> {
  const request = route.request();
  const type = request.resourceType();
  if (request.method() !== "GET") return route.abort();
  // Nobody looks at the page, but scripts may wait until its styles are there.
  if (type === "stylesheet") {
    return route.fulfill({ contentType: "text/css", headers: { "access-control-allow-origin": "*" }, body: "" });
  }
  if (!["script", "xhr", "fetch", "other"].includes(type)) return route.abort();
  const all = await request.allHeaders();
  const passed: Record<string, string> = {};
  for (const name of passedHeaders) if (all[name] !== undefined) passed[name] = all[name];
  const resource = await resources.get(request.url(), passed, type === "script");
  if (resource === null) return route.abort();
  const { status, headers, body } = resource;
  return route.fulfill({ status, headers: headersFor(headers), body });
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
