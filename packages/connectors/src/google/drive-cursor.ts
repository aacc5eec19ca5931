import type { Cursor } from "@anneal/core/connect/change";
import { z } from "zod";

/**
 * Where the feeds are read up to. `positions` by corpus ("" for what the user sees, else a shared drive's id), each with
 * a digest of who the drive itself is open to: its feed does not promise to tell of new members.
 */
const drivePositionSchema = z.object({ token: z.string(), audience: z.string() });
const driveCursorSchema = z.object({
  version: z.literal(1),
  settings: z.string(),
  positions: z.record(z.string(), drivePositionSchema),
  /** Documents to ask for whatever the feeds tell. */
  revisits: z.array(z.string()),
});
export type DrivePosition = z.infer<typeof drivePositionSchema>;
export type DriveCursor = z.infer<typeof driveCursorSchema>;

/** More than these are found again by a full listing, which a cursor of bounded size does not need to name. */
const maxRevisits = 200;

/**
 * Before there is a position that everything is known up to; the next run lists all.
 *
 * @param total how many files a first sync has counted
 */
export function unsettledCursor(corpora: Iterable<string>, total: number | null = null): Cursor {
  return { version: 1, positions: Object.fromEntries([...corpora].map((key) => [key, null])), total };
}
const unsettledSchema = z
  .object({
    positions: z.record(z.string(), z.null()),
    /** As an earlier release wrote them. */
    corpora: z.array(z.string()).default([]),
    total: z.number().nullable().default(null),
  })
  .transform(({ positions, corpora, total }) => ({ corpora: [...Object.keys(positions), ...corpora], total }));

/** Which corpora documents may be known of: those of the positions, or those that were listed without reaching any. */
export function knownCorpora(cursor: Cursor | null): string[] {
  const reached = driveCursorSchema.safeParse(cursor);
  if (reached.success) return Object.keys(reached.data.positions);
  const begun = unsettledSchema.safeParse(cursor);
  return begun.success ? begun.data.corpora : [];
}

/** How many files there are, as a first sync counted them that did not come to its end. */
export function countedFiles(cursor: Cursor | null): number | null {
  const begun = unsettledSchema.safeParse(cursor);
  return begun.success ? begun.data.total : null;
}

/** @returns null where everything must be listed: a first run, other settings, another set of drives */
export function readDriveCursor(
  cursor: Cursor | null,
  settings: string,
  corpora: readonly string[],
): DriveCursor | null {
  const parsed = driveCursorSchema.safeParse(cursor);
  if (!parsed.success || parsed.data.settings !== settings) return null;
  const before = Object.keys(parsed.data.positions);
  const same = before.length === corpora.length && corpora.every((key) => parsed.data.positions[key] !== undefined);
  return same ? parsed.data : null;
}

export function writeDriveCursor(
  settings: string,
  positions: Record<string, DrivePosition>,
  revisits: ReadonlySet<string>,
): Cursor {
  if (revisits.size > maxRevisits) return unsettledCursor(Object.keys(positions));
  return { version: 1, settings, positions, revisits: [...revisits] };
}
