import type { PiiEntity } from "./find-pii.ts";
import type { PiiAction, PiiType } from "./policy.ts";

export type PiiCounts = Partial<Record<PiiType, number>>;

/** What stands where: `start`..`end` of the text given, `maskedStart`..`maskedEnd` of the text returned. */
export type MaskedSpan = {
  type: PiiType;
  action: PiiAction;
  start: number;
  end: number;
  maskedStart: number;
  maskedEnd: number;
};

/**
 * The numbers behind `[EMAIL_1]`: equal values share one within whatever shares this object, usually a document. It holds
 * the values themselves; whoever keeps it can undo the masking, so it is never logged and never stored unencrypted.
 */
export class PiiTokens {
  readonly #numbers = new Map<string, string>();
  readonly #perType = new Map<PiiType, number>();

  tokenFor(type: PiiType, value: string): string {
    const key = `${type}:${canonicalValue(type, value)}`;
    const known = this.#numbers.get(key);
    if (known) return known;
    const number = (this.#perType.get(type) ?? 0) + 1;
    this.#perType.set(type, number);
    const token = `[${type}_${number}]`;
    this.#numbers.set(key, token);
    return token;
  }
}

/** @param entities from `findPii` on the same text: in order, without overlaps. */
export function maskPii(
  text: string,
  entities: readonly PiiEntity[],
  actions: Readonly<Record<PiiType, PiiAction>>,
  tokens: PiiTokens = new PiiTokens(),
): { text: string; counts: PiiCounts; spans: MaskedSpan[] } {
  const counts: PiiCounts = {};
  const spans: MaskedSpan[] = [];
  let masked = "";
  let copiedTo = 0;
  for (const { type, start, end } of entities) {
    const action = actions[type];
    counts[type] = (counts[type] ?? 0) + 1;
    masked += text.slice(copiedTo, start);
    const maskedStart = masked.length;
    masked += replacement(action, type, text.slice(start, end), tokens);
    spans.push({ type, action, start, end, maskedStart, maskedEnd: masked.length });
    // Of the two spaces around something removed, one goes with it.
    const doubled = action === "remove" && (maskedStart === 0 || masked.endsWith(" ")) && text.charAt(end) === " ";
    copiedTo = doubled ? end + 1 : end;
  }
  return { text: masked + text.slice(copiedTo), counts, spans };
}

function replacement(action: PiiAction, type: PiiType, value: string, tokens: PiiTokens): string {
  switch (action) {
    case "remove":
      return "";
    case "mask":
      return `[${type}]`;
    case "tokenise":
      return tokens.tokenFor(type, value);
    case "keep":
      return value;
  }
}

/** Spellings of one value: case of an address, spaces and hyphens of a number. */
function canonicalValue(type: PiiType, value: string): string {
  if (type === "SECRET") return value;
  if (type === "EMAIL") return value.toLowerCase().replace(/ ?[([{] ?at ?[)\]}] ?|＠/, "@");
  if (type === "PHONE") return value.replace(/[^\d+]/g, "");
  return value.toLowerCase().replace(/[^\p{L}\p{N}:]/gu, "");
}
