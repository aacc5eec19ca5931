import type { ErrorReport } from "../errors.ts";

/**
 * How much one run may delete without a person's word. An unmounted folder, an emptied bucket or a truncated table
 * looks exactly like a mass deletion, so a share above `maxShare` waits.
 */
export type DeletionPolicy = { maxShare: number; confirmed: boolean };

export const defaultDeletionPolicy: DeletionPolicy = { maxShare: 0.2, confirmed: false };

/**
 * @param known documents held before the run
 * @param missing those of them that the source no longer has
 * @returns null when the deletions may go ahead, else what to tell the person
 */
export function refuseDeletions(policy: DeletionPolicy, known: number, missing: number): ErrorReport | null {
  if (policy.confirmed || missing <= policy.maxShare * known) return null;
  return {
    code: "CONFLICT",
    message: `The source no longer has ${missing} of ${known} documents, more than the ${Math.round(policy.maxShare * 100)}% that one sync may delete; all were kept.`,
    action:
      "Check that the source is whole (mounted, not emptied by mistake), then confirm the deletions (on the command line: --confirm-deletions).",
    details: { heldBack: true, known, missing, maxShare: policy.maxShare },
  };
}

/** Whether an error is that of `refuseDeletions`: the source could be read, and waits for a person's word. */
export function isHeldBack(error: Pick<ErrorReport, "details">): boolean {
  return error.details?.["heldBack"] === true;
}
