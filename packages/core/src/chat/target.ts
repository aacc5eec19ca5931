import { addsNumber, addsPerson, wantsNumber, wantsPerson } from "./question-terms.ts";
import { rankUnits } from "./rank-units.ts";
import { selectTied } from "./select-quote.ts";
import type { Unit } from "./units.ts";

export type TargetOptions = {
  /** The best sentence must score at least this, else the passages do not answer and nothing is shown. */
  minScore: number;
  /** A sentence of the model whose sources score this much less than the best sentence answers something else. */
  maxGap: number;
};

/**
 * A score is the share of the question's words (up to 1, 1.3 where the unit brings the number or name that is asked
 * for) plus twice the cosine. Measured with all-MiniLM-L6-v2 on the six passages found for each question of
 * `examples/questions.json`: the best sentence of the 26 that are answered scores 1.63 to 2.96 and is the right one each
 * time; of the 4 that are not, 0.68 to 1.53. Of 15 other questions, 10 answered ones reach 1.61 to 2.9, one that shares
 * no word with its answer 1.3, the 4 without an answer at most 1.40. A draft that copies any one of the 599 sentences
 * of all those passages is shown 27 times, 23 of them rightly. Another embedding model has other cosines: settings, like
 * `RelevanceOptions`.
 */
export const defaultTargetOptions: TargetOptions = { minScore: 1.57, maxGap: 0.4 };

export type Target = {
  /** Whether any sentence speaks to the question. */
  reached: boolean;
  /**
   * Whether a supported claim answers the question.
   * @param units what supports it.
   * @param answered an earlier sentence did, so that this one may add to it.
   */
  meets(claim: string, units: readonly Unit[], answered: boolean): boolean;
};

/** Without cosines words alone cannot tell a paraphrase from another subject: everything meets then. */
export function createTarget(
  question: string,
  documents: readonly Unit[][],
  similarity: ReadonlyMap<string, number> | undefined,
  options: TargetOptions = defaultTargetOptions,
): Target {
  if (!similarity || similarity.size === 0) return { reached: true, meets: () => true };
  const ranked = rankUnits(question, documents, { similarity });
  const [best] = ranked;
  if (!best || best.score < options.minScore) return { reached: false, meets: () => false };
  const scores = new Map(ranked.map(({ unit, score }) => [unit, score]));
  const tied = selectTied(ranked, documents);
  return {
    reached: true,
    meets(claim, units, answered) {
      const score = Math.max(...units.map((unit) => scores.get(unit) ?? 0));
      if (score < options.minScore || (!answered && score < best.score - options.maxGap)) return false;
      if (answered) return true;
      // One of several rows that the question cannot tell apart is a guess.
      if (tied.length > 1 && units.length === 1 && tied.includes(units[0]!)) return false;
      if (!best.fits) return true;
      const language = best.unit.passage.language;
      return (
        (!wantsNumber(question) || addsNumber(claim, question, language)) &&
        (!wantsPerson(question) || addsPerson(claim, question))
      );
    },
  };
}
