import { parseJson } from "./remote/remote-answer.ts";

/** From here on, 2^53, an integer may be more exact than a number can tell: 9007199254740992 has 16 digits. */
const longNumber = /\d{16}/;

/**
 * As `parseJson`, but an integer that no number holds exactly is its digits as a text: ids of two items must not become
 * one. What is told of each value makes reading slow, so that texts without such an integer are read without it.
 */
export function parseExactJson(text: string): unknown {
  if (!longNumber.test(text)) return parseJson(text);
  try {
    return JSON.parse(text, keepDigits);
  } catch {
    return undefined;
  }
}

/** `source` is what stands in the text; the types of TypeScript do not know it yet. */
function keepDigits(_name: string, value: unknown, written: { source?: string } = {}): unknown {
  const { source } = written;
  if (typeof value !== "number" || Number.isSafeInteger(value) || source === undefined) return value;
  return /^-?\d+$/.test(source) ? source : value;
}
