import { documentText, type Element, type ParsedDocument } from "../document/element.ts";
import { assessQuality, type QualityScores } from "./assess-quality.ts";
import { detectLanguage, type DetectedLanguage } from "./detect-language.ts";
import { findPii, resolvePiiActions } from "./find-pii.ts";
import { maskPii, PiiTokens, type PiiCounts } from "./mask-pii.ts";
import { normaliseElements } from "./normalise-elements.ts";
import { measureDamage } from "./normalise-text.ts";
import { defaultCleanPolicy, type CleanPolicy, type PiiType } from "./policy.ts";
import type { DropCode } from "./quality-rules.ts";

export type CleanResult =
  | {
      status: "kept";
      document: ParsedDocument;
      language: DetectedLanguage;
      quality: QualityScores;
      /** How many of each type were found, whatever the policy did with them. */
      pii: PiiCounts;
      /** Running headers, footers and page numbers that were taken out. */
      removedLines: number;
    }
  | {
      status: "dropped";
      code: DropCode | "OTHER_LANGUAGE";
      reason: string;
      quality: QualityScores;
    };

/** Normalises, judges, and masks one document. Reasons carry numbers only, nothing of the text. */
export function cleanDocument(parsed: ParsedDocument, policy: CleanPolicy = defaultCleanPolicy): CleanResult {
  const damage = measureDamage(documentText(parsed.elements));
  const fixedLines = parsed.mediaType === "application/pdf";
  const { elements, removedLines } = normaliseElements(parsed.elements, { fixedLines });
  const language = detectLanguage(documentText(elements.filter(({ kind }) => kind !== "code")));
  const verdict = assessQuality({ elements }, policy.quality, { language: language.code, damage });
  if (!verdict.keep) {
    return {
      status: "dropped",
      code: verdict.code,
      reason: verdict.reason,
      quality: verdict.scores,
    };
  }
  if (policy.languages && language.code !== "und" && !policy.languages.includes(language.code)) {
    const reason = `The document is in "${language.code}" (kept: ${policy.languages.join(", ")}).`;
    return { status: "dropped", code: "OTHER_LANGUAGE", reason, quality: verdict.scores };
  }
  const { document, counts } = maskDocument({ ...parsed, elements }, policy, language.code);
  return { status: "kept", document, language, quality: verdict.scores, pii: counts, removedLines };
}

/** Masks element by element, so that their boundaries stay, and everything else that shows: title, sections, warnings. */
function maskDocument(
  parsed: ParsedDocument,
  policy: CleanPolicy,
  language: string,
): { document: ParsedDocument; counts: PiiCounts } {
  const actions = resolvePiiActions(policy.pii, language);
  const tokens = new PiiTokens();
  const mask = (text: string) => maskPii(text, findPii(text, policy.pii), actions, tokens);
  const counts: PiiCounts = {};
  const names = new Map<string, string>();
  /** Headings recur as sections of every element below them: masked once, and counted only where they stand. */
  const maskName = (name: string) => {
    const masked = names.get(name) ?? mask(name).text;
    names.set(name, masked);
    return masked;
  };
  const elements = parsed.elements.map((element): Element => {
    const masked = mask(element.text);
    for (const [type, count] of Object.entries(masked.counts) as [PiiType, number][]) {
      counts[type] = (counts[type] ?? 0) + count;
    }
    const section = element.section.map(maskName);
    return element.container === undefined
      ? { ...element, text: masked.text, section }
      : { ...element, text: masked.text, section, container: maskName(element.container) };
  });
  const document: ParsedDocument = {
    ...parsed,
    title: parsed.title === null ? null : maskName(parsed.title),
    elements: elements.filter(({ text }) => text !== ""),
    warnings: parsed.warnings.map(maskName),
  };
  return { document, counts };
}
