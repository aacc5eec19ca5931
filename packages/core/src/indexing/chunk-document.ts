import { documentText, type ElementBox, type ParsedDocument } from "../document/element.ts";
import { approximateTokens, chunkUnits, type ChunkUnit, type CountTokens } from "./chunk-units.ts";

export type ChunkOptions = {
  /** A chunk is closed once the next piece would pass this. */
  targetTokens: number;
  /** No chunk's text, with its context, is longer, but for one indivisible character run. */
  maxTokens: number;
  /** Tokens of whole sentences repeated from the chunk before, only where one long element was split. */
  overlapTokens: number;
  countTokens: CountTokens;
};

/** all-MiniLM-L6-v2 reads 256 tokens; 180 leaves room for the context line and for the counter's error. */
export const defaultChunkOptions: ChunkOptions = {
  targetTokens: 180,
  maxTokens: 240,
  overlapTokens: 30,
  countTokens: approximateTokens,
};

/** `box`: of the element, where it is known; what was stored by an earlier release has none. */
export type ChunkPlace = { charStart: number; page: number | null; section: string[]; box?: ElementBox | undefined };

export type Chunk = {
  ordinal: number;
  /** Exactly `documentText(elements).slice(charStart, charEnd)`: what is quoted and cited. */
  text: string;
  charStart: number;
  charEnd: number;
  /** "Title > Heading > Subheading": what tells this passage apart, embedded with it and never quoted. */
  context: string;
  /** Header and rule line of a table that was split by rows. */
  tableHeader: string | null;
  /** The headings that everything in the chunk stands under, outermost first. */
  section: string[];
  /** Page, full section path and box from each offset on, ascending, so that a quote names its own page and heading. */
  places: ChunkPlace[];
  container: string | null;
  tokens: number;
};

/** What is embedded and tokenised for BM25, and what a chunk's content hash covers. */
export function embeddingText(chunk: Pick<Chunk, "context" | "tableHeader" | "text">): string {
  return [chunk.context, chunk.tableHeader, chunk.text].filter((part) => part).join("\n");
}

/**
 * Cuts a document where its author did: never across a top heading or a container, at a lower heading once a chunk
 * holds a third of the target, tables, lists and code whole where they fit and with the line that announces them; only
 * then by sentence.
 */
export function chunkDocument(
  parsed: Pick<ParsedDocument, "title" | "elements">,
  options: Partial<ChunkOptions> = {},
): Chunk[] {
  const settings = { ...defaultChunkOptions, ...options };
  const text = documentText(parsed.elements);
  const budgets = contextBudgets(parsed, settings);
  const units = chunkUnits(parsed.elements, text, budgets.maxTokens, settings.countTokens);
  const named = namedSections(units);
  const leadsOn = ({ start, end }: ChunkUnit) => /[:：]\s*$/u.test(text.slice(start, end));
  return packUnits(units, budgets, leadsOn)
    .map((group) => dropLeadingHeadings(group, named))
    .filter((group) => group.length > 0)
    .map((group, ordinal) => toChunk(group, ordinal, text, parsed.title, settings.countTokens));
}

type Budgets = { targetTokens: number; maxTokens: number; overlapTokens: number };

/** The context is embedded too, so its longest form is taken off, down to half of what was asked for. */
function contextBudgets(parsed: Pick<ParsedDocument, "title" | "elements">, settings: ChunkOptions): Budgets {
  const contexts = new Set(parsed.elements.map(({ section }) => contextOf(parsed.title, section)));
  const longest = [...contexts].reduce((most, context) => Math.max(most, settings.countTokens(context)), 0);
  const less = (tokens: number) => Math.max(1, Math.ceil(tokens / 2), tokens - longest);
  const maxTokens = less(settings.maxTokens);
  const targetTokens = Math.min(maxTokens, less(settings.targetTokens));
  return {
    maxTokens,
    targetTokens,
    overlapTokens: Math.min(settings.overlapTokens, Math.floor(targetTokens / 2)),
  };
}

/** @param leadsOn whether a piece announces the next one ("Run this command:") */
function packUnits(
  units: readonly ChunkUnit[],
  budgets: Budgets,
  leadsOn: (unit: ChunkUnit) => boolean,
): ChunkUnit[][] {
  const groups: ChunkUnit[][] = [];
  let open: ChunkUnit[] = [];
  let tokens = 0;
  const close = (body: ChunkUnit[], carry: ChunkUnit[]) => {
    if (body.length > 0) groups.push(body);
    open = carry;
    tokens = sum(carry);
  };
  for (const unit of units) {
    const previous = open.at(-1);
    const headings = trailingHeadings(open);
    const body = open.slice(0, open.length - headings.length);
    const full = tokens + unit.tokens > (body.length > 0 ? budgets.targetTokens : budgets.maxTokens);
    if (previous && boundaryKey(previous) !== boundaryKey(unit)) close(open, []);
    else if (body.length > 0 && isHeading(unit) && headings.length === 0 && tokens * 3 >= budgets.targetTokens)
      close(open, []);
    else if (body.length > 0 && (full || previous?.tableHeader !== unit.tableHeader)) {
      const last = body.at(-1)!;
      const announced = headings.length === 0 && body.length > 1 && leadsOn(last);
      const fits = last.tokens + unit.tokens <= budgets.maxTokens && last.tableHeader === unit.tableHeader;
      if (announced && fits) close(body.slice(0, -1), [last]);
      else close(body, headings.length > 0 ? headings : overlap(body, unit, budgets));
    } else if (previous && full) close(open, []);
    open.push(unit);
    tokens += unit.tokens;
  }
  close(open, []);
  return groups;
}

/** A chunk stays within the first heading below the title, and within one sheet, mail part or other container. */
function boundaryKey(unit: ChunkUnit): string {
  return JSON.stringify([unit.container, unit.section.slice(0, 2)]);
}

const isHeading = (unit: ChunkUnit) => unit.kind === "title" || unit.kind === "heading";
const sum = (units: readonly ChunkUnit[]) => units.reduce((total, unit) => total + unit.tokens, 0);

/** A heading belongs to what follows it. */
function trailingHeadings(group: readonly ChunkUnit[]): ChunkUnit[] {
  const body = group.findLastIndex((unit) => !isHeading(unit));
  return group.slice(body + 1);
}

/** The last sentences of a long passage, repeated before its continuation; rows and code lines are never repeated. */
function overlap(group: readonly ChunkUnit[], next: ChunkUnit, budgets: Budgets): ChunkUnit[] {
  const repeated: ChunkUnit[] = [];
  if (!next.part || next.kind === "table" || next.kind === "code") return repeated;
  const first = group.find((unit) => !isHeading(unit));
  for (const unit of group.toReversed()) {
    const fits =
      sum(repeated) + unit.tokens <= budgets.overlapTokens &&
      sum(repeated) + unit.tokens + next.tokens <= budgets.maxTokens;
    if (!unit.part || unit.kind !== next.kind || !fits || unit === first) break;
    repeated.unshift(unit);
  }
  return repeated;
}

/** The context names the headings that a chunk starts with. A heading that nothing stands under is kept as text. */
function dropLeadingHeadings(group: ChunkUnit[], named: ReadonlySet<string>): ChunkUnit[] {
  const body = group.findIndex((unit) => !isHeading(unit));
  if (body >= 0) return group.slice(body);
  return group.every((heading) => named.has(JSON.stringify(heading.section))) ? [] : group;
}

/** Every section path that something stands under: those headings are in its context. */
function namedSections(units: readonly ChunkUnit[]): Set<string> {
  const named = new Set<string>();
  for (const unit of units) {
    const above = isHeading(unit) ? unit.section.slice(0, -1) : unit.section;
    for (let depth = above.length; depth > 0; depth -= 1) {
      const key = JSON.stringify(above.slice(0, depth));
      if (named.has(key)) break;
      named.add(key);
    }
  }
  return named;
}

function toChunk(group: ChunkUnit[], ordinal: number, text: string, title: string | null, count: CountTokens): Chunk {
  const charStart = Math.min(...group.map((unit) => unit.start));
  const charEnd = Math.max(...group.map((unit) => unit.end));
  const section = group.map((unit) => unit.section).reduce(commonPrefix);
  const chunkText = text.slice(charStart, charEnd);
  const tableHeader = group[0]?.tableHeader ?? null;
  const context = contextOf(title, section);
  return {
    ordinal,
    text: chunkText,
    charStart,
    charEnd,
    context,
    tableHeader,
    section,
    places: placesOf(group),
    container: group[0]?.container ?? null,
    tokens: count(embeddingText({ context, tableHeader, text: chunkText })),
  };
}

function placesOf(group: readonly ChunkUnit[]): ChunkPlace[] {
  const places = group.map((unit) => ({
    charStart: unit.start,
    page: unit.page,
    section: unit.section,
    ...(unit.box === null ? {} : { box: unit.box }),
  }));
  const key = (place: ChunkPlace | undefined) => place && JSON.stringify([place.page, place.section, place.box]);
  return places.filter((place, index) => key(place) !== key(places[index - 1]));
}

/** The page, section and box that a character of the document stands on. */
export function placeAt(places: readonly ChunkPlace[], offset: number): Omit<ChunkPlace, "charStart"> {
  return places.findLast((place) => place.charStart <= offset) ?? places[0] ?? { page: null, section: [] };
}

function commonPrefix(left: string[], right: string[]): string[] {
  const differs = left.findIndex((heading, index) => heading !== right[index]);
  return differs === -1 ? left : left.slice(0, differs);
}

function contextOf(title: string | null, section: readonly string[]): string {
  const path = section[0] === title || !title ? section : [title, ...section];
  return path
    .map(shorten)
    .filter((heading) => heading !== "")
    .join(" > ");
}

/** A heading that is really a paragraph must not fill every chunk under it. */
function shorten(heading: string): string {
  const line = heading.replace(/\s+/g, " ").trim();
  return line.length > 100 ? `${[...line].slice(0, 99).join("")}…` : line;
}
