import { AnnealError } from "@anneal/core/errors";
import { SeenRefs } from "../seen-refs.ts";

/**
 * Why addresses of one pattern were left out. They are told apart by code, because what a person can do differs:
 * raise a limit, exclude the pattern, or nothing.
 */
const trapCodes = [
  /** Longer than any address of a page. */
  "TRAP_LONG_ADDRESS",
  /** A path that repeats itself, as relative links in a wrong place make it: /a/b/a/b/a/b. */
  "TRAP_REPEATING_PATH",
  "TRAP_DEEP_PATH",
  /** Filters upon filters. */
  "TRAP_MANY_PARAMETERS",
  /** Page after page that says the same but for its numbers: a calendar, the orders of one list. */
  "TRAP_SAME_TEXT",
  /** More pages of one pattern than the source's setting allows. */
  "TRAP_PATTERN_FULL",
] as const;
type TrapCode = (typeof trapCodes)[number];

/** Ours: browsers and servers take more, and a path of a page may have as much as a path of a file. */
export const maxUrlChars = 4096;
const maxParameters = 8;
const maxSegments = 20;
const maxSameSegment = 3;

/** What an address alone shows: one that grows by following itself. */
export function trapOf(url: string): TrapCode | null {
  if (url.length > maxUrlChars) return "TRAP_LONG_ADDRESS";
  const { pathname, searchParams } = new URL(url);
  const segments = segmentsOf(pathname);
  const counts = new Map<string, number>();
  for (const segment of segments) counts.set(segment, (counts.get(segment) ?? 0) + 1);
  if (Math.max(0, ...counts.values()) > maxSameSegment) return "TRAP_REPEATING_PATH";
  if (segments.length > maxSegments) return "TRAP_DEEP_PATH";
  return searchParams.size > maxParameters ? "TRAP_MANY_PARAMETERS" : null;
}

/** Below this depth paths are told apart by where they begin: what lies deeper may deepen for ever. */
const maxToldSegments = 6;

/**
 * What addresses have in common that a site makes out of one template: numbers, dates and long codes in the path are
 * alike, and so are all parameters of one path.
 *
 * @returns null for an address that is one of a kind
 */
export function patternOf(url: string): string | null {
  const { origin, pathname, search } = new URL(url);
  const segments = segmentsOf(pathname).map(maskSegment);
  const isDeep = segments.length > maxToldSegments;
  const path = `${segments.slice(0, maxToldSegments).join("/")}${isDeep ? "/…" : ""}`;
  const isVaried = isDeep || search !== "" || segments.some((segment) => segment.includes("*"));
  return isVaried ? `${origin}/${path}${search === "" ? "" : "?…"}` : null;
}

function maskSegment(segment: string): string {
  // Words beside the number tell pages apart: /2026-annual-report is one of a kind.
  if (/^\d+$/.test(segment) || /^[\d._:-]*\d[\d._:-]*$/.test(segment)) return "*";
  if (/^(?=.*\d)[\da-f-]{16,}$/i.test(segment)) return "*";
  return segment.replace(/^([a-z]{0,12}[-_]?)\d+(\.\w{1,5})?$/i, "$1*$2");
}

function segmentsOf(pathname: string): string[] {
  return pathname.split("/").filter((segment) => segment !== "");
}

/** So many pages of a pattern in a row may bring nothing new before the rest is left out. */
const maxSameInARow = 20;
/** More patterns are only counted. */
const maxReported = 50;

type Pattern = { pages: number; sameInARow: number; texts: Set<string> };
type LeftOutVerdict = "left-out" | "left-out-before";
type LeftOut = { code: TrapCode; count: number; example: string };

/** Counts pages by pattern, and remembers what was left out. */
export class TrapLedger {
  readonly #maxPages: number;
  readonly #patterns = new Map<string, Pattern>();
  readonly #leftOut = new Map<string, LeftOut>();
  readonly #counted = new SeenRefs();

  constructor(maxPagesPerPattern: number) {
    this.#maxPages = maxPagesPerPattern;
  }

  /**
   * @param foundOn the page that names this address; null for the settings, a sitemap and a feed, whose word is enough
   * @returns "grown" for what pages of a pattern lead to, as the days of a calendar do; what a page that is one of a
   * kind lists comes to an end. "left-out" is remembered; another time it was so before.
   */
  admit(url: string, foundOn: string | null): "admitted" | "grown" | LeftOutVerdict {
    const trap = trapOf(url);
    if (trap !== null) return this.#leave(url, trap);
    const pattern = patternOf(url);
    const growsFrom = foundOn === null ? null : patternOf(foundOn);
    if (pattern === null || growsFrom === null) return "admitted";
    const state = this.#stateOf(pattern);
    if (state.sameInARow >= maxSameInARow) return this.#leave(url, "TRAP_SAME_TEXT");
    // The pages of a list may name any number of articles.
    if (growsFrom !== pattern) return "grown";
    if (state.pages >= this.#maxPages) return this.#leave(url, "TRAP_PATTERN_FULL");
    state.pages += 1;
    return "grown";
  }

  /** Of an address that waits: whether its pattern has turned out to be a trap since. */
  isBarren(url: string): boolean {
    const pattern = patternOf(url);
    return pattern !== null && (this.#patterns.get(pattern)?.sameInARow ?? 0) >= maxSameInARow;
  }

  leave(url: string): void {
    this.#leave(url, "TRAP_SAME_TEXT");
  }

  /** @param words the digest of what a page of a pattern says, see digest-words.ts */
  note(url: string, words: string): void {
    const pattern = patternOf(url);
    if (pattern === null) return;
    const state = this.#stateOf(pattern);
    state.sameInARow = state.texts.has(words) ? state.sameInARow + 1 : 0;
    if (state.texts.size < maxSameInARow * 10) state.texts.add(words);
  }

  /** Whether an address is of a pattern of which not everything was visited: then its absence says nothing. */
  isLeftOut(url: string): boolean {
    return this.#leftOut.has(keyOf(url));
  }

  /** One report for each pattern, under a ref that stays the same from crawl to crawl. */
  reports(): { ref: string; error: AnnealError }[] {
    const reports = [...this.#leftOut]
      .slice(0, maxReported)
      .map(([ref, left]) => ({ ref, error: describeTrap(ref, left) }));
    const [first] = reports;
    const more = this.#leftOut.size - reports.length;
    if (more > 0 && first !== undefined) {
      reports.push({ ref: `${new URL(first.ref).origin}/#more-patterns`, error: describeMore(more) });
    }
    return reports;
  }

  #leave(url: string, code: TrapCode): LeftOutVerdict {
    if (!this.#counted.add(url)) return "left-out-before";
    const key = keyOf(url);
    const left = this.#leftOut.get(key);
    if (left === undefined) this.#leftOut.set(key, { code, count: 1, example: url.slice(0, 300) });
    else left.count += 1;
    return "left-out";
  }

  #stateOf(pattern: string): Pattern {
    let state = this.#patterns.get(pattern);
    if (state === undefined) this.#patterns.set(pattern, (state = { pages: 0, sameInARow: 0, texts: new Set() }));
    return state;
  }
}

/** A trap by its address alone has no pattern of its own; where it begins names it. */
function keyOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return trapOf(url) === null ? (patternOf(url) ?? url) : `${origin}/${segmentsOf(pathname)[0] ?? ""}/…`;
}

function describeTrap(ref: string, { code, count, example }: LeftOut): AnnealError {
  const number = count.toLocaleString("en");
  const what = count === 1 ? "1 address" : `${number} addresses`;
  return new AnnealError("DOCUMENT_UNSUPPORTED", `${what} like "${ref}" were left out: ${reasons[code]}.`, {
    action:
      code === "TRAP_PATTERN_FULL"
        ? "Raise “Pages of one pattern” if these are documents, or exclude them."
        : "Exclude this pattern; if these are documents, name them in a sitemap or a feed.",
    details: { code, leftOut: count, example },
  });
}

function describeMore(count: number): AnnealError {
  return new AnnealError(
    "DOCUMENT_UNSUPPORTED",
    `${count.toLocaleString("en")} more patterns of addresses were left out.`,
    {
      action: "Exclude the folders that make them.",
      details: { code: "TRAP_MORE_PATTERNS", leftOut: count },
    },
  );
}

const reasons: Record<TrapCode, string> = {
  TRAP_LONG_ADDRESS: `they are longer than ${maxUrlChars.toLocaleString("en")} characters`,
  TRAP_REPEATING_PATH: "their path repeats itself",
  TRAP_DEEP_PATH: `they lie more than ${maxSegments} folders deep`,
  TRAP_MANY_PARAMETERS: `they have more than ${maxParameters} parameters`,
  TRAP_SAME_TEXT: `${maxSameInARow} of them in a row said the same but for numbers, as calendars and sorted lists do`,
  TRAP_PATTERN_FULL: "there are more of them than the source's setting allows",
};
