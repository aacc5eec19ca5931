import type { WireError } from "#lib/wire-error.ts";
import type { JsonSchema } from "#server/connect/describe-kinds.ts";

/** Directories lock an account after a few refused sign-ins, often five; a form leaves some to its owner. */
export const maxUnprovenSignIns = 3;

/** What a form has tried so far with credentials, asked or unasked. */
export type CheckMemory = {
  readonly refused: ReadonlySet<string>;
  /** Sign-ins that were sent and were not seen to be taken: refused, cut short, or still under way. */
  readonly unproven: number;
  /** The address that typed credentials are for: where they were typed, or where the button has sent them. */
  readonly meantFor: string | null;
};

export const nothingTried: CheckMemory = { refused: new Set(), unproven: 0, meantFor: null };

/** @param address as of `addressOf`, when a credential was typed or the button was pressed */
export function rememberAddress(memory: CheckMemory, address: string): CheckMemory {
  return { ...memory, meantFor: address };
}

/** A sign-in counts from when it is sent: one that is cut short may have been refused already. */
export function rememberSignIn(memory: CheckMemory): CheckMemory {
  return { ...memory, unproven: memory.unproven + 1 };
}

/**
 * @param entered all that was entered, as text: where it is and how to get in
 * @param error what the sign-in that was sent came to; null when it was taken. Without an answer ("OFFLINE") nobody knows
 */
export function rememberAnswer(memory: CheckMemory, entered: string, error: WireError["code"] | null): CheckMemory {
  switch (error) {
    case "SOURCE_CREDENTIALS":
      return { ...memory, refused: new Set([...memory.refused, entered]) };
    case "OFFLINE":
      return memory;
    default:
      return { ...memory, unproven: memory.unproven - 1 };
  }
}

/**
 * Whether what is entered may be tried without being asked to, as far as the accounts behind it and the credentials go.
 * "refused": the same was refused before; "spent": so many were sent for nothing that another could lock somebody out;
 * "moved": the credentials were typed for another address, and this one may be half a name.
 * @param address where typed credentials would be sent; null when none were typed
 */
export function judgeUnasked(
  memory: CheckMemory,
  { entered, address }: { entered: string; address: string | null },
): "may" | "refused" | "spent" | "moved" {
  if (memory.unproven >= maxUnprovenSignIns) return "spent";
  if (memory.refused.has(entered)) return "refused";
  return address === null || address === memory.meantFor ? "may" : "moved";
}

/** Where these settings have credentials sent, as text to compare. */
export function addressOf(fields: readonly string[], config: Record<string, unknown>): string {
  return JSON.stringify(fields.map((field) => config[field] ?? ""));
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
