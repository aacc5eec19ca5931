import type { ErrorReport } from "../errors.ts";

/**
 * How much one run may delete without a person's word. An unmounted folder, an emptied bucket or a truncated table
 * looks exactly like a mass deletion, so a share above `maxShare` waits: of the source, and of each part of it.
 *
 * `told`: how many documents whoever confirmed had been told of. As many may go, and a share beside them; left out, all.
 */
export type DeletionPolicy = { maxShare: number; confirmed: boolean; told?: number };

export const defaultDeletionPolicy: DeletionPolicy = { maxShare: 0.2, confirmed: false };

/**
 * @param known documents held before the run
 * @param missing those of them that the source no longer has
 * @returns null when the deletions may go ahead, else what to tell the person
 */
export function refuseDeletions(policy: DeletionPolicy, known: number, missing: number): ErrorReport | null {
  const unasked = policy.confirmed ? missing - (policy.told ?? missing) : missing;
  if (unasked <= policy.maxShare * known) return null;
  return {
    code: "CONFLICT",
    message: `The source no longer has ${missing} of ${known} documents, more than the ${Math.round(policy.maxShare * 100)}% that one sync may delete; all were kept.`,
    action:
      "Check that the source is whole (mounted, not emptied by mistake), then confirm the deletions (on the command line: --confirm-deletions).",
    details: { heldBack: true, known, missing, maxShare: policy.maxShare },
  };
}

/** How many documents were held before the run, and how many of them the source no longer has. */
export type Loss = { known: number; missing: number };

/**
 * What a source is made of is judged by itself from this size on: a space, channel, project, drive, mailbox, table or
 * folder that the account may see no more vanishes without an error. A smaller one counts only with its whole source, so
 * that a channel of three that is archived stops no sync
 * (docs/decisions/2026-11-30-a-part-of-a-source-has-its-own-share.md).
 */
export const smallestJudgedPart = 50;

/** So many are named in what a person is told. */
const maxNamedParts = 3;

/**
 * The parts of a source that lose too much, though the source as a whole does not.
 *
 * @param parts by name, with what `refuseDeletions` is asked about the whole
 * @returns null when the deletions may go ahead everywhere, else where they may not, and what to tell the person
 */
export function refuseParts(
  policy: DeletionPolicy,
  parts: ReadonlyMap<string, Loss>,
): { parts: ReadonlySet<string>; error: ErrorReport } | null {
  if (policy.confirmed) return null;
  const refused = [...parts].filter(
    ([, { known, missing }]) => known >= smallestJudgedPart && missing > policy.maxShare * known,
  );
  if (refused.length === 0) return null;
  const total = (count: keyof Loss) => refused.reduce((sum, [, loss]) => sum + loss[count], 0);
  const told = refused.slice(0, maxNamedParts).map(([part, loss]) => `${loss.missing} of ${loss.known} in "${part}"`);
  const untold = refused.length > told.length ? [`others in ${refused.length - told.length} more`] : [];
  const places = [...told, ...untold].join(", ");
  return {
    parts: new Set(refused.map(([part]) => part)),
    error: {
      code: "CONFLICT",
      message: `The source no longer has documents in parts of it: ${places}. That is more than the ${Math.round(policy.maxShare * 100)}% of a part that one sync may delete; they were kept.`,
      action:
        "Check that the account may still see all of it and that nothing was emptied by mistake, then confirm the deletions (on the command line: --confirm-deletions).",
      details: { heldBack: true, known: total("known"), missing: total("missing"), maxShare: policy.maxShare },
    },
  };
}

/** What a person confirms is what the last read of the source told them; who was told nothing means all that is gone. */
export function confirmationOf(
  confirmed: boolean,
  told: ErrorReport | null,
): Pick<DeletionPolicy, "confirmed" | "told"> {
  const missing = told !== null && isHeldBack(told) ? told.details?.["missing"] : undefined;
  return { confirmed, ...(typeof missing === "number" ? { told: missing } : {}) };
}

/** Whether an error is that of `refuseDeletions` or `refuseParts`: the source could be read, and waits for a person's word. */
export function isHeldBack(error: Pick<ErrorReport, "details">): boolean {
  return error.details?.["heldBack"] === true;
}

/** The report where nobody reads meanwhile what is held back. */
export function withHiddenDocuments(error: ErrorReport): ErrorReport {
  const why = "Meanwhile nobody sees them, since the source does not tell any more who may.";
  return { ...error, message: `${error.message} ${why}`, details: { ...error.details, hidden: true } };
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
