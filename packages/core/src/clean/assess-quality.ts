import { documentText, type ParsedDocument } from "../document/element.ts";
import { measureText, type TextMeasures } from "./measure-text.ts";
import { measureDamage, type TextDamage } from "./normalise-text.ts";
import { defaultCleanPolicy, type QualityPolicy } from "./policy.ts";
import { qualityRules, type DropCode, type QualityRule } from "./quality-rules.ts";

export type QualityScores = {
  measures: TextMeasures;
  /** Names of the published web rules that the document would break; for information in the enterprise profile. */
  brokenWebRules: string[];
};

export type QualityVerdict =
  | { keep: true; scores: QualityScores }
  | {
      keep: false;
      code: DropCode;
      /** A sentence with the measured number and the limit. */ reason: string;
      scores: QualityScores;
    };

/**
 * Whether a document is worth keeping, by the first rule it breaks.
 *
 * @param known.language ISO 639-1, for the rule that counts English stop words.
 * @param known.damage measured on the text as it was read, where `parsed` has been normalised since.
 */
export function assessQuality(
  parsed: Pick<ParsedDocument, "elements">,
  policy: QualityPolicy = defaultCleanPolicy.quality,
  known: { language?: string; damage?: TextDamage } = {},
): QualityVerdict {
  const input = {
    measures: measureText(parsed.elements),
    damage: known.damage ?? measureDamage(documentText(parsed.elements)),
    language: known.language ?? "und",
  };
  const breaks = (rule: QualityRule, profile: QualityPolicy["profile"], limit: number | null) => {
    if (limit === null || rule.applies?.(input, profile) === false) return false;
    const value = rule.measure(input);
    return rule.bound === "max" ? value > limit : value < limit;
  };
  const scores: QualityScores = {
    measures: input.measures,
    brokenWebRules: qualityRules.filter((rule) => breaks(rule, "web", rule.limits.web)).map(({ name }) => name),
  };
  for (const rule of qualityRules) {
    const limit = (rule.name === "words" ? policy.minWords : null) ?? rule.limits[policy.profile];
    if (limit === null || !breaks(rule, policy.profile, limit)) continue;
    const [value, limitText] = formatPair(rule, rule.measure(input), limit);
    return {
      keep: false,
      code: rule.code,
      reason: `${rule.says(value)} (limit ${limitText}).`,
      scores,
    };
  }
  return { keep: true, scores };
}

/** The measured number and its limit, with as many decimals as tell them apart. */
function formatPair(rule: QualityRule, value: number, limit: number): [string, string] {
  const format = (number: number, decimals: number) =>
    rule.format === "share" ? `${(number * 100).toFixed(decimals)}%` : Number(number.toFixed(decimals)).toString();
  for (let decimals = rule.format === "share" ? 0 : 1; decimals < 3; decimals++) {
    const pair: [string, string] = [format(value, decimals), format(limit, decimals)];
    if (pair[0] !== pair[1]) return pair;
  }
  return [format(value, 3), format(limit, 3)];
}
