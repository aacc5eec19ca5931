import {
  createComposer,
  createReader,
  type GroundedAnswer,
  groundAnswer,
  type GroundingRequest,
} from "./ground-answer.ts";
import { parseAnswer } from "./parse-answer.ts";
import { isRefusal } from "./phrases.ts";
import { claimsOf } from "./support.ts";

export type SentenceGate = {
  /** Takes what the model just wrote. @returns what may be shown now, often "". */
  push(delta: string): string;
  /**
   * The model is done.
   * @param cutOff as in `GroundingRequest`
   * @returns the rest of the text, and the outcome whose `text` is everything shown.
   */
  end(cutOff?: boolean): { text: string; outcome: GroundedAnswer };
};

/**
 * Streams an answer whose every shown character is final, for clients that cannot take a word back (the OpenAI API).
 * A sentence leaves once it is complete and supported. The first one that is not holds back all after it until the end,
 * because a quote line that comes last may still vouch for it.
 */
export function createSentenceGate(request: Omit<GroundingRequest, "answer">): SentenceGate {
  const reader = createReader(request);
  const composer = createComposer();
  let draft = "";
  let passed = 0;
  let holding = reader.documents.length === 0;
  return {
    push(delta) {
      draft += delta;
      if (holding) return "";
      const claims = claimsOf(parseAnswer(completePart(draft)).answer);
      let shown = "";
      // The last sentence may still grow, and so may one before a fragment without a word.
      const complete = claims.findLastIndex((claim) => /[\p{L}\p{N}]/u.test(claim.text));
      while (passed < complete && !holding) {
        const claim = claims[passed];
        const supports =
          claim && !isRefusal(claim.text) ? reader.support(claim.text, composer.citations.length > 0) : null;
        if (!claim || !supports) {
          holding = true;
          break;
        }
        shown += composer.add(claim, supports);
        passed += 1;
      }
      return shown;
    },
    end(cutOff = false) {
      const outcome = groundAnswer({ ...request, answer: draft, cutOff });
      return { text: outcome.text.slice(composer.text().length), outcome };
    },
  };
}

/** Without a citation mark or quote that may still be arriving. */
function completePart(draft: string): string {
  return draft.replace(/(?<![ \t])[ \t]*\[[\d,\s]{0,8}(?:\][ \t]*:?[ \t]*(?:["“„«][^\n]*)?)?$/u, "");
}
