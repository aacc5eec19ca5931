import type { Change, KnownItems } from "@anneal/core/connect/change";
import {
  maxNamedMissing,
  refuseDeletions,
  withMissingRefs,
  type DeletionPolicy,
} from "@anneal/core/connect/deletion-policy";

/**
 * The deletions of a complete enumeration: every known ref that is gone. Two passes over the known refs, so that
 * nothing is deleted before the whole share is known and no list of candidates is held in memory. Only what is held
 * counts: a failure that is over is no document that its source has lost, and one that lasts is none that it still has.
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
  const all = await countRefs(known.refs(), isGone);
  if (all.gone === 0) return true;
  const unread = await countRefs(known.refs("unread"), isGone);
  const refusal = refuseDeletions(policy, all.count - unread.count, all.gone - unread.gone);
  const deleted = refusal === null ? known.refs() : known.refs("unread");
  for await (const ref of deleted) if (isGone(ref)) yield { type: "delete", ref };
  if (refusal === null) return true;
  // The failures that were over are deleted by now: what is still gone is held.
  yield { type: "failure", ref: "", error: withMissingRefs(refusal, await firstOf(known.refs(), isGone)) };
  return false;
}

async function firstOf(refs: AsyncIterable<string>, isGone: (ref: string) => boolean): Promise<string[]> {
  const first: string[] = [];
  for await (const ref of refs) {
    if (isGone(ref)) first.push(ref);
    if (first.length === maxNamedMissing) break;
  }
  return first;
}

/** How many documents are held. */
export async function countHeld(known: KnownItems): Promise<number> {
  const [all, unread] = [await countRefs(known.refs()), await countRefs(known.refs("unread"))];
  return all.count - unread.count;
}

async function countRefs(refs: AsyncIterable<string>, isGone: (ref: string) => boolean = () => false) {
  const found = { count: 0, gone: 0 };
  for await (const ref of refs) {
    found.count += 1;
    if (isGone(ref)) found.gone += 1;
  }
  return found;
}
