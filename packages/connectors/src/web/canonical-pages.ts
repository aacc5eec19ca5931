import type { HttpAnswer } from "../http-answer.ts";
import { parseMediaType } from "../media-type.ts";
import type { PageFacts } from "./page-facts.ts";
import { readHtml, type HtmlReader } from "./read-html.ts";
import { type SiteClient } from "./site-client.ts";
import { normaliseUrl, type Site } from "./site-url.ts";

/** A page's own word that it is a copy is believed only when the page it names is there and does not point on. */
export type CanonicalPages = {
  /** @returns the address of the page that this one is a copy of, or null when it stands for itself */
  originalOf(url: string, named: string | null, base: URL | string, facts: PageFacts | null): Promise<string | null>;
};

type Original = { isThere: boolean; mainText: string | null };

const maxRemembered = 10_000;

export function createCanonicalPages(
  reader: HtmlReader & { client: SiteClient; sites: readonly Site[]; mayVisit(url: string): boolean },
): CanonicalPages {
  const originals = new Map<string, Promise<Original>>();

  async function look(url: string): Promise<Original> {
    const response = await reader.client.get(url, {}, { alongside: true });
    const isHtml = parseMediaType(response.headers.get("content-type")) === "text/html";
    if (response.status !== 200 || !isHtml) {
      response.discard();
      return { isThere: response.status === 200, mainText: null };
    }
    const { facts } = await readHtml(reader, url, response);
    const base = facts.base !== null && URL.canParse(facts.base, url) ? new URL(facts.base, url) : url;
    const next = facts.canonical === null ? null : normaliseUrl(facts.canonical, base, reader.sites);
    return { isThere: next === null || next === url, mainText: facts.mainText };
  }

  return {
    async originalOf(url, named, base, facts) {
      const original = named === null ? null : normaliseUrl(named, base, reader.sites);
      if (original === null || original === url || !reader.mayVisit(original)) return null;
      if (originals.size >= maxRemembered) originals.clear();
      let seen = originals.get(original);
      if (seen === undefined) originals.set(original, (seen = look(original)));
      const { isThere, mainText } = await seen;
      // A theme that names the front page as the original of every page is mistaken; it would cost the whole site.
      const isFront = new URL(original).pathname === "/";
      return isThere && (!isFront || mainText === facts?.mainText) ? original : null;
    },
  };
}

const maxHeaderChars = 4000;

/** `Link: <https://example.org/a.pdf>; rel="canonical"`, RFC 6596: the way of documents that are no pages. */
export function canonicalHeader(response: HttpAnswer): string | null {
  const header = (response.headers.get("link") ?? "").slice(0, maxHeaderChars);
  return /<([^>]*)>\s*;[^,]*\brel\s*=\s*"?canonical\b/i.exec(header)?.[1] ?? null;
}
