import type { Change, KnownItems } from "@anneal/core/connect/change";
import { refuseDeletions, type DeletionPolicy } from "@anneal/core/connect/deletion-policy";

/**
 * The deletions of a complete enumeration: every known ref that is gone. Two passes over the known refs, so that
 * nothing is deleted before the whole share is known and no list of candidates is held in memory.
 *
 * @param isGone must answer false for a ref whose scope could not be listed
 * @returns false where a person must confirm first. Then the caller's position stays where it was, or where the next sync
 * lists as much again: what a position has gone past is not found another time, and could not be confirmed.
 */
export async function* deleteMissing(
  known: KnownItems,
  policy: DeletionPolicy,
  isGone: (ref: string) => boolean,
): AsyncGenerator<Change, boolean> {
  let knownCount = 0;
  let missingCount = 0;
  for await (const ref of known.refs()) {
    knownCount += 1;
    if (isGone(ref)) missingCount += 1;
  }
  if (missingCount === 0) return true;
  const refusal = refuseDeletions(policy, knownCount, missingCount);
  if (refusal !== null) {
    yield { type: "failure", ref: "", error: refusal };
    return false;
  }
  for await (const ref of known.refs()) if (isGone(ref)) yield { type: "delete", ref };
  return true;
}
