import { AnnealError } from "@anneal/core/errors";
import type { HttpAnswer } from "../http-answer.ts";
import type { ConnectLimits } from "../connector.ts";
import { collectBytes } from "../content.ts";
import type { WebConfig } from "./config.ts";
import { needsJavaScript, readPageFacts, type PageFacts } from "./page-facts.ts";
import type { PageRenderer } from "./page-renderer.ts";
import { readBody } from "./site-client.ts";

export type HtmlReader = {
  config: WebConfig;
  /** null where there is no browser, or none is wanted. */
  renderer: PageRenderer | null;
  limits: ConnectLimits;
  signal: AbortSignal;
};

export type HtmlPage = { bytes: Uint8Array; facts: PageFacts; rendered: boolean };

const maxHtmlBytes = 10 * 1024 * 1024;

/**
 * Reads a page, and has a browser run its scripts where it says almost nothing without them.
 * @throws AnnealError for a page that is too large, or empty where there is no browser
 */
export async function readHtml(reader: HtmlReader, url: string, response: HttpAnswer): Promise<HtmlPage> {
  const limitBytes = Math.min(maxHtmlBytes, reader.limits.documentBytes);
  const raw = await collectBytes(readBody(response, url, limitBytes));
  const bytes = toUtf8(raw, response.headers.get("content-type"));
  const facts = readPageFacts(new TextDecoder().decode(bytes));
  const { render } = reader.config;
  if (render === "never" || (render === "auto" && !needsJavaScript(facts))) return { bytes, facts, rendered: false };
  if (reader.renderer === null) {
    if (facts.text !== "") return { bytes, facts, rendered: false };
    throw new AnnealError("PREREQUISITE_MISSING", `"${url}" is empty without JavaScript, and there is no browser.`, {
      action: "Install Chromium, or name its path with ANNEAL_CHROMIUM; then sync again.",
    });
  }
  const html = await reader.renderer.render(url, bytes, reader.signal);
  return { bytes: Buffer.from(html), facts: readPageFacts(html), rendered: true };
}

/** The header's charset is lost to whoever reads the bytes later, so they leave here as UTF-8, marked as such. */
function toUtf8(bytes: Uint8Array, contentType: string | null): Uint8Array {
  const header = /charset\s*=\s*"?([\w-]+)/i.exec(contentType ?? "")?.[1];
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 1024));
  const charset = header ?? /<meta[^>]+charset\s*=\s*["']?([\w-]+)/i.exec(start)?.[1] ?? "utf-8";
  if (/^utf-?8$/i.test(charset)) return bytes;
  try {
    return Buffer.from(`\ufeff${new TextDecoder(charset).decode(bytes)}`);
  } catch {
    // A charset that nobody knows.
    return bytes;
  }
}
