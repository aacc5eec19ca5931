import { appendAll } from "../append-all.ts";
import { type Draft, type Parsed, firstTitle, promoteOnlyTopHeading } from "../sections.ts";

const listItem = /^[ \t]*(?:[-*•◦▪‣·]|\d{1,3}[.)])[ \t]+\S/u;

/** Plain text: paragraphs end at blank lines, underlined lines are headings, runs of marked lines are lists. */
export function parseText(text: string): Parsed {
  const drafts: Draft[] = [];
  for (const block of text
    .replace(/\r\n?/gu, "\n")
    .replace(/\f/gu, "\n\n")
    .split(/\n[ \t]*\n\s*?/u)) {
    const lines = block
      .split("\n")
      .map((line) => line.trimEnd())
      .filter((line) => line !== "");
    if (lines.length > 0) appendAll(drafts, readBlock(lines));
  }
  const titled = promoteOnlyTopHeading(drafts);
  return { title: firstTitle(titled), drafts: titled, warnings: [] };
}

/** Underlined lines may follow each other without a blank line, as many as a file has room for. */
function* readBlock(lines: string[]): Generator<Draft> {
  let at = 0;
  for (let heading = readHeading(lines, at); heading !== null; heading = readHeading(lines, at)) {
    yield heading;
    at += 2;
  }
  if (at < lines.length) yield* readBody(lines.slice(at));
}

/** The line at `at`, where the next one underlines it. */
function readHeading(lines: string[], at: number): Draft | null {
  const [line, below] = [lines[at]?.trim() ?? "", lines[at + 1]?.trim() ?? ""];
  const underline = /^(?:(={3,})|-{3,}|~{3,}|\^{3,})$/u.exec(below);
  if (underline === null || line.length > 120 || Math.abs(line.length - below.length) > 4) return null;
  return { kind: "heading", text: line, level: underline[1] === undefined ? 2 : 1 };
}

function readBody(lines: string[]): Draft[] {
  const start = lines.findIndex((line) => listItem.test(line));
  const rest = lines.slice(Math.max(start, 0));
  // An indented line continues its item; any other line says that this is no list.
  const isList =
    start !== -1 &&
    rest.every((line) => listItem.test(line) || /^[ \t]{2,}/u.test(line)) &&
    rest.filter((line) => listItem.test(line)).length > 1;
  if (!isList) return [{ kind: "paragraph", text: lines.join("\n").trim() }];
  const before: Draft[] = start > 0 ? [{ kind: "paragraph", text: lines.slice(0, start).join("\n").trim() }] : [];
  return [...before, { kind: "list", text: joinItems(rest) }];
}

function joinItems(lines: readonly string[]): string {
  const items: string[] = [];
  for (const line of lines) {
    if (listItem.test(line) || items.length === 0) items.push(line.replace(/^([ \t]*)[*•◦▪‣·]/u, "$1-"));
    else items[items.length - 1] += ` ${line.trim()}`;
  }
  return items.join("\n");
}

/** Source code is one element: its blank lines mean nothing to a reader of prose. */
export function parseSource(text: string): Parsed {
  const code = text.replace(/\r\n?/gu, "\n").replace(/^\n+/u, "").trimEnd();
  return { title: null, drafts: code === "" ? [] : [{ kind: "code", text: code }], warnings: [] };
}
