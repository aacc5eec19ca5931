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

/** How many of the documents that would go are named to who is asked about them. */
export const maxNamedMissing = 20;

/** The report with the first of the refs that it is about. They name documents, and those have readers: see `withoutMissingRefs`. */
export function withMissingRefs(error: ErrorReport, missingRefs: readonly string[]): ErrorReport {
  return { ...error, details: { ...error.details, missingRefs } };
}

/** The first refs, at most `maxNamedMissing`, of what confirming would delete; none in what an earlier release wrote. */
export function missingRefsOf(error: Pick<ErrorReport, "details">): string[] {
  const refs = error.details?.["missingRefs"];
  return Array.isArray(refs) ? refs.filter((ref) => typeof ref === "string") : [];
}

/** The report as it may leave, whoever reads it. */
export function withoutMissingRefs<E extends Pick<ErrorReport, "details">>(error: E): E {
  if (error.details?.["missingRefs"] === undefined) return error;
  const { missingRefs: _, ...details } = error.details;
  return { ...error, details };
}

/** How many would go beside those that were named, and why they were not; null where all were. */
export function wordUnnamed(missing: number, named: number): string | null {
  if (missing <= named) return null;
  const why = named === maxNamedMissing ? "" : ", beyond the first or of documents that you may not read";
  return `and ${(missing - named).toLocaleString("en-GB")} more${why}.`;
}
