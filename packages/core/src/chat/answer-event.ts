import type { GroundedAnswer } from "./ground-answer.ts";
import type { AnswerCitation } from "./passage.ts";

/**
 * What the portal's chat receives while an answer is made. Drafts are the model's own, unverified words, shown as such;
 * the one "final" event replaces all of them. Clients that cannot replace text get `createSentenceGate`'s instead.
 */
export type AnswerEvent =
  | {
      type: "passages";
      passages: Pick<AnswerCitation, "documentId" | "chunkId" | "title" | "uri" | "section" | "page">[];
    }
  | { type: "draft"; delta: string }
  | { type: "final"; outcome: GroundedAnswer; usage: TokenUsage | null };

export type TokenUsage = { promptTokens: number; completionTokens: number };
