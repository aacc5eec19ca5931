import type { Change, KnownItems } from "@anneal/core/connect/change";
import {
  maxNamedMissing,
  refuseDeletions,
  refuseParts,
  withHiddenDocuments,
  withMissingRefs,
  type DeletionPolicy,
  type Loss,
} from "@anneal/core/connect/deletion-policy";
import type { ErrorReport } from "@anneal/core/errors";
import type { Hiding } from "./hiding.ts";

/** Which part of its source a ref belongs to: a space, a channel, a drive, a folder; null where it is in none. */
type PartOf = (ref: string) => string | null;

/** For refs that begin with what they are in; none for what is in nothing but the source. */
export function firstSegment(ref: string): string | null {
  const end = ref.indexOf("/");
  return end < 0 ? null : ref.slice(0, end);
}

/**
 * The deletions of a complete enumeration: every known ref that is gone. Two passes over the known refs, so that
 * nothing is deleted before the whole share is known and no list of candidates is held in memory. Only what is held
 * counts: a failure that is over is no document that its source has lost, and one that lasts is none that it still has.
 *
 * @param hiding of documents that wait for a person's word: what is restricted without naming the connector's account is as
 * gone from a listing as what is deleted
 * @param isGone must answer false for a ref whose scope could not be listed
 * @param partOf where a source has parts that vanish from its listing without an error: one that loses too much is held
 * back by itself. Null for what the source's own feed said is gone
 * @returns false where a person must confirm first, be it for a part, while the deletions of the others went ahead. Then
 * the caller's position stays where it was, or where the next sync lists as much again: what a position has gone past is
 * not found another time, and could not be confirmed.
 */
export async function* deleteMissing(
  known: KnownItems,
  policy: DeletionPolicy,
  hiding: Hiding,
  isGone: (ref: string) => boolean,
  partOf: PartOf = () => null,
): AsyncGenerator<Change, boolean> {
  const losses = createLosses(isGone, partOf);
  for await (const ref of known.refs()) losses.count(ref, 1);
  if (losses.whole.missing === 0) return true;
  for await (const ref of known.refs("unread")) losses.count(ref, -1);
  const refusal = refuseDeletions(policy, losses.whole.known, losses.whole.missing);
  const narrow = refusal === null ? refuseParts(policy, losses.parts) : null;
  const error = refusal ?? narrow?.error ?? null;
  const isHeld = (ref: string) => {
    if (narrow === null) return refusal !== null;
    const part = partOf(ref);
    return part !== null && narrow.parts.has(part);
  };
  if (refusal === null)
    for await (const ref of known.refs()) if (isGone(ref) && !isHeld(ref)) yield { type: "delete", ref };
  if (error === null) return true;
  for await (const ref of known.refs("unread")) if (isGone(ref) && isHeld(ref)) yield { type: "delete", ref };
  // The failures that were over are deleted by now: what is still gone is held.
  yield* holdBack(
    error,
    filter(known.refs(), (ref) => isGone(ref) && isHeld(ref)),
    hiding,
  );
  return false;
}

async function* filter(refs: AsyncIterable<string>, isWanted: (ref: string) => boolean): AsyncIterable<string> {
  for await (const ref of refs) if (isWanted(ref)) yield ref;
}

/**
 * Keeps documents that a person must confirm the deletion of, and says so last. Until then nobody reads those that bring
 * their readers.
 */
export async function* holdBack(
  error: ErrorReport,
  held: Iterable<string> | AsyncIterable<string>,
  hiding: Hiding,
): AsyncIterable<Change> {
  const first: string[] = [];
  let hides = false;
  for await (const ref of held) {
    if (first.length < maxNamedMissing) first.push(ref);
    hides ||= hiding.concerns(ref);
    const change = await hiding.changeOf(ref);
    if (change !== null) yield change;
  }
  const told = hides ? withHiddenDocuments(error) : error;
  yield { type: "failure", ref: "", error: withMissingRefs(told, first) };
}

/** How many documents are held. */
export async function countHeld(known: KnownItems): Promise<number> {
  let count = 0;
  for await (const _ of known.refs()) count += 1;
  for await (const _ of known.refs("unread")) count -= 1;
  return count;
}

function createLosses(isGone: (ref: string) => boolean, partOf: PartOf) {
  const whole: Loss = { known: 0, missing: 0 };
  const parts = new Map<string, Loss>();
  return {
    whole,
    parts,
    /** @param by -1 for what was counted and is no document */
    count(ref: string, by: 1 | -1): void {
      const missing = isGone(ref) ? by : 0;
      const part = partOf(ref);
      const loss = part === null ? null : (parts.get(part) ?? { known: 0, missing: 0 });
      if (part !== null && loss !== null) parts.set(part, loss);
      for (const each of loss === null ? [whole] : [whole, loss]) {
        each.known += by;
        each.missing += missing;
      }
    },
  };
}
