import { AnnealError } from "@anneal/core/errors";
import type { HttpAnswer } from "../http-answer.ts";
import type { ConnectLimits } from "../connector.ts";
import { collectBytes } from "../content.ts";
import { tooLarge } from "../failure.ts";
import { htmlToUtf8 } from "./charsets.ts";
import type { WebConfig } from "./config.ts";
import { needsJavaScript, type PageFacts } from "./page-facts.ts";
import type { PageReader } from "./page-reader.ts";
import type { PageRenderer } from "./page-renderer.ts";
import { readBody } from "./site-client.ts";

export type HtmlReader = {
  config: WebConfig;
  pages: PageReader;
  /** null where there is no browser, or none is wanted. */
  renderer: PageRenderer | null;
  limits: ConnectLimits;
  signal: AbortSignal;
};

export type HtmlPage = { bytes: Uint8Array; facts: PageFacts; rendered: boolean };

/** Of its bytes, and of the characters that a browser has made of them. */
const maxHtmlBytes = 10 * 1024 * 1024;

/**
 * Reads a page, and has a browser run its scripts where it says almost nothing without them.
 * @throws AnnealError for a page that is too large, cannot be read (`PageReader`), or is empty where there is no browser
 */
export async function readHtml(reader: HtmlReader, url: string, response: HttpAnswer): Promise<HtmlPage> {
  const limitBytes = Math.min(maxHtmlBytes, reader.limits.documentBytes);
  const kind = limitBytes < maxHtmlBytes ? "setting" : "fixed";
  const raw = await collectBytes(readBody(response, url, limitBytes, kind));
  const bytes = htmlToUtf8(raw, response.headers.get("content-type"));
  const facts = await reader.pages.readPage(bytes, url);
  const { render } = reader.config;
  if (render === "never" || (render === "auto" && !needsJavaScript(facts))) return { bytes, facts, rendered: false };
  if (reader.renderer === null) {
    if (facts.text !== "") return { bytes, facts, rendered: false };
    throw new AnnealError("PREREQUISITE_MISSING", `"${url}" is empty without JavaScript, and there is no browser.`, {
      action: "Install Chromium, or name its path with ANNEAL_CHROMIUM; then sync again.",
    });
  }
  const html = await reader.renderer.render(url, bytes, reader.signal);
  if (html.length > limitBytes) throw tooLarge(url, html.length, limitBytes, kind);
  const rendered = Buffer.from(html);
  return { bytes: rendered, facts: await reader.pages.readPage(rendered, url), rendered: true };
}
