import { type RunningLine, type RunningPart, lineOf } from "./running-lines.ts";

type Attributes = Record<string, string>;

/**
 * Gathers what a sheet prints on every page while the sheet is streamed: a line for each header and footer that is shown. The
 * name of the sheet alone is none, since its heading says it.
 */
export class SheetHeadersFooters {
  readonly lines: RunningLine[] = [];
  private shown = new Set(["odd"]);
  private code: string | null = null;
  private readonly sheet: string;

  constructor(sheet: string) {
    this.sheet = sheet;
  }

  open(tag: string, attributes: Attributes): void {
    if (tag === "headerFooter") {
      if (isOn(attributes["differentOddEven"])) this.shown.add("even");
      if (isOn(attributes["differentFirst"])) this.shown.add("first");
    } else if (partOfName(tag) !== null) this.code = "";
  }

  text(value: string): void {
    if (this.code !== null) this.code += value;
  }

  close(tag: string): void {
    const part = partOfName(tag);
    if (part === null || this.code === null) return;
    const text = lineOf(partsOf(this.code, this.sheet));
    if (this.shown.has(part.pages) && text !== this.sheet) this.lines.push({ kind: part.kind, text });
    this.code = null;
  }
}

function partOfName(tag: string): { pages: string; kind: RunningLine["kind"] } | null {
  const match = /^(odd|even|first)(Header|Footer)$/u.exec(tag);
  return match === null ? null : { pages: match[1]!, kind: match[2] === "Header" ? "header" : "footer" };
}

function isOn(value: string | undefined): boolean {
  return value === "1" || value === "true";
}

/** A code (left, centre, right, fonts, colours, fields) or the words before the next one; ISO/IEC 29500-1, 18.3.1.46. */
const tokens = /&(?:"[^"]*"|K(?:[\dA-F]{6}|\d\d[+-]\d{3})|\d{1,3}|[PN](?:[+-]\d+)?|[\s\S])|[^&]+/giu;

/** Dates, times and names of files are not kept in the file, and left out. */
function partsOf(code: string, sheet: string): RunningPart[] {
  const parts: RunningPart[] = [{ text: "", isCount: false }];
  for (const [token] of code.matchAll(tokens)) {
    const part = parts.at(-1)!;
    if (!token.startsWith("&")) part.text += token;
    else if (token === "&&") part.text += "&";
    else if (/^&[LCR]$/iu.test(token)) parts.push({ text: "", isCount: false });
    else if (/^&[PN]/iu.test(token)) part.isCount = true;
    else if (/^&A$/iu.test(token)) part.text += sheet;
  }
  return parts;
}
