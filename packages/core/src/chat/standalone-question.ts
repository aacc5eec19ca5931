import { tokeniseForSearch } from "../indexing/terms.ts";
import type { ChatMessage } from "./build-prompt.ts";

/** Words that only mean something after an earlier turn, in the languages that we stem. */
const pointsBack =
  /^(?:and|or|but|what about|how about|und|aber|oder|et|mais|y|pero|e|ma|en|maar|mas)\b|\b(?:it|its|they|them|their|those|these|this|that|he|she|his|her|one|dies\p{L}*|deren|dessen|davon|dafür|dazu|cela|ça|celui|celle|ceux|eso|esto|ese|esa|ello|questo|quello|ne|dat|die|daarvan|isso|este|esse)\b/iu;

/**
 * What to search for: a follow-up ("And for opened software?") is put behind the user's question before it. No model is
 * asked: a small one changes the question, and a wrong rewrite finds nothing.
 */
export function standaloneQuestion(question: string, history: readonly ChatMessage[], language: string | null): string {
  const before = history.findLast((turn) => turn.role === "user");
  if (!before) return question;
  const short = tokeniseForSearch(question, language).length <= 1;
  return short || pointsBack.test(question.trim()) ? `${before.content.trim()} ${question.trim()}` : question;
}
