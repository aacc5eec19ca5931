import { isUtf8 } from "node:buffer";
import { AnnealError } from "@anneal/core/errors";
import type { HttpAnswer } from "../http-answer.ts";
import type { ConnectLimits } from "../connector.ts";
import { collectBytes } from "../content.ts";
import { tooLarge } from "../failure.ts";
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

/** Of its bytes, and of the characters that a browser has made of them. */
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
  if (html.length > limitBytes) throw tooLarge(url, html.length, limitBytes);
  return { bytes: Buffer.from(html), facts: readPageFacts(html), rendered: true };
}

/** The header's charset is lost to whoever reads the bytes later, so they leave here as UTF-8, marked as such. */
function toUtf8(bytes: Uint8Array, contentType: string | null): Uint8Array {
  const charset = charsetOf(bytes, contentType);
  return charset === "utf-8" ? bytes : Buffer.from(`\ufeff${new TextDecoder(charset).decode(bytes)}`);
}

/** As browsers find it: by a byte order mark, else by the header, else by the page itself, else by whether it can be UTF-8. */
function charsetOf(bytes: Uint8Array, contentType: string | null): string {
  const marked = byteOrderMarks.find(({ mark }) => mark.every((byte, index) => bytes[index] === byte));
  if (marked !== undefined) return marked.charset;
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 1024));
  const named =
    knownCharset(/charset\s*=\s*["']?([\w-]+)/i.exec(contentType ?? "")?.[1]) ??
    // What can be read as far as here is not in UTF-16, whatever it says.
    knownCharset(/<meta[^>]+charset\s*=\s*["']?([\w-]+)/i.exec(start)?.[1])?.replace(/^utf-16[bl]e$/, "utf-8");
  return named ?? (isUtf8(bytes) ? "utf-8" : "windows-1252");
}

const byteOrderMarks = [
  { charset: "utf-8", mark: [0xef, 0xbb, 0xbf] },
  { charset: "utf-16le", mark: [0xff, 0xfe] },
  { charset: "utf-16be", mark: [0xfe, 0xff] },
];

function knownCharset(label: string | undefined): string | undefined {
  try {
    return label === undefined ? undefined : new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}
