import type { FoundPair } from "./extract-pairs.ts";
import { isAnswerName, isQuestionName } from "./extract-table.ts";

/**
 * An array, or lines, of JSON objects with a question and an answer field. Null when the text is no JSON of that kind.
 * The span is the answer's string literal as it stands in the text, without its quotes.
 */
export function extractFromJson(text: string): FoundPair[] | null {
  if (!/^\s*[[{]/.test(text)) return null;
  const records = parseRecords(text);
  if (records === null) return null;
  let from = 0;
  const pairs: FoundPair[] = [];
  for (const record of records) {
    const question = fieldOf(record, isQuestionName);
    const answer = fieldOf(record, isAnswerName);
    if (question === null || answer === null) continue;
    const literal = JSON.stringify(answer).slice(1, -1);
    const at = text.indexOf(literal, from);
    if (at === -1) continue;
    from = at + literal.length;
    pairs.push({ question, answer, answerSpan: { start: at, end: from } });
  }
  return pairs.length > 0 ? pairs : null;
}

function parseRecords(text: string): unknown[] | null {
  const whole = tryParse(text);
  if (Array.isArray(whole)) return whole;
  if (whole !== undefined) return Object.values(whole as object).find((value) => Array.isArray(value)) ?? [whole];
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const records = lines.map(tryParse);
  return records.some((record) => record === undefined) ? null : records;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function fieldOf(record: unknown, isName: (name: string) => boolean): string | null {
  if (typeof record !== "object" || record === null) return null;
  const found = Object.entries(record).find(
    ([name, value]) => isName(name) && typeof value === "string" && value.trim() !== "",
  );
  return found ? String(found[1]) : null;
}
