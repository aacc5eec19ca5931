import { lineSpans } from "../indexing/table.ts";
import type { FoundPair } from "./extract-pairs.ts";

const questionMark =
  /^[\s>*_#-]*(?:\d{1,3}[.)][\s*_]*)?(?:q|question|frage|f|pregunta|p|domanda|d|vraag|v|pergunta)\s*\d{0,3}\s*[:.][\s*_]*(?=\S)/iu;
const answerMark =
  /^[\s>*_#-]*(?:a|answer|antwort|réponse|reponse|r|respuesta|risposta|antwoord|resposta)\s*\d{0,3}\s*[:.][\s*_]*(?=\S)/iu;

/**
 * "Q: ... A: ..." by line, each mark at the start of a line, numbered or bold or quoted by a mail client; a list
 * "a) ... b) ..." is none. An answer ends at the next question, at a blank line that no further answer text follows, or,
 * where it is itself an item of a list of fields ("- answer: ..."), at the next item.
 */
export function extractFromLines(text: string): FoundPair[] {
  return readLines(text).pairs;
}

/** The question of a stretch that ends before its answer: a long answer often stands under a heading of its own. */
export function openQuestion(text: string): string | null {
  return readLines(text).open;
}

function readLines(text: string): { pairs: FoundPair[]; open: string | null } {
  const lines = lineSpans(text);
  const pairs: FoundPair[] = [];
  let question: string | null = null;
  let answer: { start: number; end: number } | null = null;
  const close = () => {
    if (question !== null && answer !== null) {
      pairs.push({
        question,
        answer: unquote(text.slice(answer.start, answer.end)),
        answerSpan: answer,
      });
    }
    question = null;
    answer = null;
  };
  let blank = false;
  let field = false;
  for (const { start, end } of lines) {
    const line = text.slice(start, end);
    const asks = questionMark.exec(line);
    const answers = answerMark.exec(line);
    if (line.trim() === "") {
      blank = true;
      continue;
    }
    const item = /^\s*[-*•]\s/u.test(line);
    if (asks) {
      close();
      field = item;
      question = line
        .slice(asks[0].length)
        .replace(/[*_]+$/u, "")
        .trim();
    } else if (answers && question !== null && answer === null) {
      answer = { start: start + answers[0].length, end };
    } else if (answer !== null) {
      // Text after a blank line is the document going on, unless it is a list that the answer announced.
      if ((field && item) || (blank && !/^\s*[-*•\d]/u.test(line))) close();
      else answer.end = end;
    } else if (question !== null && !(field && item)) {
      question = blank ? null : `${question} ${line.trim()}`;
    }
    blank = false;
  }
  const open = answer === null ? question : null;
  close();
  return { pairs, open };
}

/** Removes a mail client's "> " from the start of each line. */
function unquote(text: string): string {
  return text.replace(/^[ \t]*>[ \t]?/gmu, "").trim();
}
