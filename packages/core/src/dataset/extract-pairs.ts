import { documentText, type Element, elementSpans, type ParsedDocument } from "../document/element.ts";
import { stableUuid } from "../indexing/point-id.ts";
import { type Span, trimSpan } from "../indexing/sentences.ts";
import { extractFromJson } from "./extract-json.ts";
import { extractFromLines, openQuestion } from "./extract-lines.ts";
import { extractFromTable, isAnswerName } from "./extract-table.ts";
import type { Pair } from "./pair.ts";
import { looksLikeQuestion } from "./question.ts";

/** What an extractor finds in one stretch of text; spans are offsets into that stretch. */
export type FoundPair = { question: string; answer: string; answerSpan: Span };

export type PairSource = {
  documentId: string;
  language: string | null;
  parsed: Pick<ParsedDocument, "elements">;
};

/**
 * Pairs that a document already states as such: questions as headings, lines marked "Q:" and "A:" (also as a mail or
 * ticket quotes them), tables and CSV files with a question and an answer column, JSON arrays of such objects. Nothing
 * is invented; `checkPair` still decides which are kept.
 */
export function extractPairs({ documentId, language, parsed }: PairSource): Pair[] {
  const text = documentText(parsed.elements);
  const spans = elementSpans(parsed.elements);
  const pairs: Pair[] = [];
  const add = (element: Element, { question, answer, answerSpan }: FoundPair, offset: number) => {
    const { start, end } = trimSpan(text, {
      start: answerSpan.start + offset,
      end: answerSpan.end + offset,
    });
    if (end <= start || question.trim() === "") return;
    pairs.push({
      id: stableUuid([documentId, question, start, end]),
      documentId,
      question: oneLine(question),
      answer: answer.trim(),
      origin: "extracted",
      language,
      source: {
        charStart: start,
        charEnd: end,
        quote: text.slice(start, end),
        section: element.section,
        page: element.page ?? null,
        container: element.container ?? null,
      },
    });
  };

  let index = 0;
  while (index < parsed.elements.length) {
    const element = parsed.elements[index];
    const span = spans[index];
    if (!element || !span) break;
    const asked = isHeading(element) ? questionOfHeading(element, parsed.elements[index - 1], language) : null;
    const body = asked === null ? 0 : answerBelow(parsed.elements, index);
    if (asked !== null && body > 0) {
      const first = spans[index + 1];
      const last = spans[index + body];
      const answer = first && last ? text.slice(first.start, last.end) : "";
      const under = parsed.elements[index + 1] ?? element;
      add(under, { question: asked, answer, answerSpan: { start: 0, end: answer.length } }, first?.start ?? 0);
      index += body + 1;
      continue;
    }
    if (isHeading(element)) {
      index += 1;
    } else if (element.kind === "table") {
      for (const pair of extractFromTable(element.text)) add(element, pair, span.start);
      index += 1;
    } else {
      // "Q:" and its "A:" are often two paragraphs: a run of prose is read as one stretch.
      const end = runEnd(parsed.elements, index);
      const stretch = text.slice(span.start, spans[end]?.end ?? span.end);
      const found = extractFromJson(stretch) ?? extractFromLines(stretch);
      for (const pair of found) add(element, pair, span.start);
      index = end + 1;
    }
  }
  return pairs;
}

const isHeading = (element: Element): boolean => element.kind === "heading" || element.kind === "title";
const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim();

/** "3.1.9. " or "4) ": where a question stands in its document, which is no part of what it asks. */
const sectionNumber = /^\p{N}{1,3}(?:(?:\.\p{N}{1,3})+[.)]?|[.)])\s+(?=[\p{Lu}(¿"“„«])/u;

/** A heading that asks, or one that says "Answer" after a question that is still open: long JSON fields read so. */
function questionOfHeading(heading: Element, before: Element | undefined, language: string | null): string | null {
  if (looksLikeQuestion(heading.text, language)) return heading.text.replace(sectionNumber, "");
  return isAnswerName(heading.text) && before && !isHeading(before) ? openQuestion(before.text) : null;
}

/** How many elements under a question heading answer it: prose, lists and tables up to the next heading, at most five. */
function answerBelow(elements: readonly Element[], heading: number): number {
  let count = 0;
  while (count < 5) {
    const next = elements[heading + 1 + count];
    if (!next || isHeading(next) || next.container !== elements[heading]?.container) break;
    count += 1;
  }
  return count;
}

function runEnd(elements: readonly Element[], start: number): number {
  let end = start;
  for (let next = start + 1; next < elements.length; next += 1) {
    const element = elements[next];
    if (!element || isHeading(element) || element.kind === "table" || element.container !== elements[start]?.container)
      break;
    end = next;
  }
  return end;
}
