import { canonicalJson } from "../canonical-json.ts";

/**
 * The audit trail's hash chain. Each event's hash is SHA-256 over its canonical JSON, which holds the hash before it;
 * changing, removing or reordering any event breaks every hash after it. Anyone with an export and this file's rules
 * can verify it outside the system.
 */
export type AuditEvent = {
  at: string;
  workspaceId: string;
  actor: string;
  action: string;
  subject: string;
  details: Record<string, unknown>;
  allowed: boolean;
  prevHash: string;
};

export const genesisHash = "0".repeat(64);

export function canonicalEvent(event: AuditEvent): string {
  const { at, workspaceId, actor, action, subject, details, allowed, prevHash } = event;
  return canonicalJson({ at, workspaceId, actor, action, subject, details, allowed, prevHash });
}

/** @returns the index of the first event that does not follow from what is before it, or null when all do. */
export function findBrokenLink(
  events: readonly (AuditEvent & { hash: string })[],
  sha256Hex: (text: string) => string,
): number | null {
  let previous = genesisHash;
  for (const [index, event] of events.entries()) {
    if (event.prevHash !== previous || sha256Hex(canonicalEvent(event)) !== event.hash) return index;
    previous = event.hash;
  }
  return null;
}
