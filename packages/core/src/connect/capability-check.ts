import { z } from "zod";

export const checkStatuses = [
  "ok",
  /** The sync works without it; the message says what is lost or risked. */
  "warning",
  /** The sync cannot work, or shows nobody anything; the check says what to grant, in the vendor's words. */
  "missing",
] as const;
export type CheckStatus = (typeof checkStatuses)[number];

export type CapabilityCheck = {
  /** One lower-case word or two of the connector's, such as "read" or "site groups"; see `wordCapability`. */
  capability: string;
  status: CheckStatus;
  /** What works or what is wrong, in a sentence or two. */
  message: string;
  /** What to do about it, where the message does not say so itself. */
  action?: string | undefined;
};

export const capabilityChecksSchema: z.ZodType<CapabilityCheck[]> = z.array(
  z.object({
    capability: z.string(),
    status: z.enum(checkStatuses),
    message: z.string(),
    action: z.string().optional(),
  }),
);

const words: Record<string, string> = {
  read: "Content",
  changes: "Changes and deletions",
  groups: "Groups and their members",
  people: "People and groups",
  addresses: "E-mail addresses",
  "site groups": "Groups of the site",
  "read-only": "Read-only access",
  javascript: "JavaScript",
  identity: "How the site sees us",
};

/** A capability as people read it; one that a connector of one's own invents is its word with a capital. */
export function wordCapability(capability: string): string {
  return words[capability] ?? capability.charAt(0).toUpperCase() + capability.slice(1);
}

/** The worst of them: what a list of checks looks like as a whole. */
export function worstStatus(checks: readonly CapabilityCheck[]): CheckStatus {
  return checkStatuses.findLast((status) => checks.some((check) => check.status === status)) ?? "ok";
}
