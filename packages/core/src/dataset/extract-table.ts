import { parseTable } from "../indexing/table.ts";
import type { FoundPair } from "./extract-pairs.ts";

const questionColumns = new Set(
  "question questions q query prompt instruction faq frage fragen demande pregunta preguntas domanda domande vraag vragen pergunta perguntas".split(
    " ",
  ),
);
const answerColumns = new Set(
  "answer answers a response reply resolution solution completion output antwort antworten lösung réponse réponses reponse respuesta respuestas risposta risposte antwoord antwoorden resposta respostas".split(
    " ",
  ),
);

/** True for the names of a question's and an answer's column or JSON field, in several languages. */
export const isQuestionName = (name: string): boolean => questionColumns.has(foldName(name));
export const isAnswerName = (name: string): boolean => answerColumns.has(foldName(name));

const foldName = (name: string): string =>
  name
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}]+/gu, " ")
    .trim();

/** Rows of a table with one question and one answer column; the answer's cell is the span. */
export function extractFromTable(text: string): FoundPair[] {
  const { header, rows } = parseTable(text);
  if (!header) return [];
  const questionAt = header.cells.findIndex(isQuestionName);
  const answerAt = header.cells.findIndex(isAnswerName);
  if (questionAt === -1 || answerAt === -1) return [];
  return rows.flatMap((row) => {
    const question = row.cells[questionAt] ?? "";
    const answer = row.cells[answerAt] ?? "";
    if (question === "" || answer === "") return [];
    const cell = cellSpan(text.slice(row.start, row.end), answerAt);
    return [
      {
        question,
        answer,
        answerSpan: { start: row.start + cell.start, end: row.start + cell.end },
      },
    ];
  });
}

/** Where the nth cell of a Markdown row stands in it. */
function cellSpan(row: string, column: number): { start: number; end: number } {
  const bars = [...row.matchAll(/(?<!\\)\|/g)].map((match) => match.index);
  const edges = /^\s*\|/.test(row) ? bars : [-1, ...bars];
  return { start: (edges[column] ?? -1) + 1, end: edges[column + 1] ?? row.length };
}
