import type { JsonSchema } from "#server/connect/source-kinds.ts";

/** Directories lock an account after a few refused sign-ins, often five; a form leaves some to its owner. */
export const maxRefusedSignIns = 3;

/** What a form has tried so far, asked or unasked. */
export type CheckMemory = { readonly refused: ReadonlySet<string>; readonly refusals: number };

export const nothingTried: CheckMemory = { refused: new Set(), refusals: 0 };

/** @param entered all that was entered, as text: where it is and how to get in */
export function rememberRefusal(memory: CheckMemory, entered: string): CheckMemory {
  return { refused: new Set([...memory.refused, entered]), refusals: memory.refusals + 1 };
}

/**
 * Whether what is entered may be tried without being asked to, as far as the accounts behind it go.
 * "refused": the same was refused before; "spent": so many were that another could lock somebody out.
 */
export function judgeUnasked(memory: CheckMemory, entered: string): "may" | "refused" | "spent" {
  if (memory.refusals >= maxRefusedSignIns) return "spent";
  return memory.refused.has(entered) ? "refused" : "may";
}

/**
 * Whether the credentials are all there, as far as a schema tells: the required ones, and one at least where the kind
 * usually has one, which its examples say. Trying without would only show a stranger being refused.
 */
export function hasCredentials(
  { properties = {}, required = [] }: JsonSchema,
  given: Record<string, unknown>,
): boolean {
  const isGiven = (name: string) => typeof given[name] === "string" && given[name] !== "";
  const usual = Object.keys(properties).filter((name) => (properties[name]?.examples?.length ?? 0) > 0);
  return required.every(isGiven) && (usual.length === 0 || Object.keys(properties).some(isGiven));
}
