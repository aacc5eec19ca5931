import { hash } from "node:crypto";
import type { Cursor } from "@anneal/core/connect/change";
import { z } from "zod";

/**
 * How far one drive has been read. `link` is the next page of the first listing ("first") or of the feed ("changes");
 * `rootAcl` is a digest of who may read the drive's root: when that changes, everybody's permissions may have.
 * `retry` are items whose last reading failed, since the feed names an item only once, and those whose permissions end
 * soonest by themselves, which no feed tells. Of more than are kept, `othersEndMs` is when the first of the others' do, in
 * milliseconds since 1970: from then on the drive is listed again.
 */
const driveStateSchema = z.object({
  phase: z.enum(["first", "changes"]),
  link: z.string(),
  rootAcl: z.string(),
  retry: z.array(z.string()),
  othersEndMs: z.number().nullable().default(null),
});
export type DriveState = z.infer<typeof driveStateSchema>;

const cursorSchema = z.object({
  version: z.literal(1),
  /** Of the settings that it was made with: with others everything is listed again. */
  settings: z.string(),
  drives: z.record(z.string(), driveStateSchema),
  /** The last ref whose permissions were looked at again; "" to begin anew. */
  auditedRef: z.string(),
  /** How many files a first sync has still to list, as it counted them. */
  left: z.number().nullable().default(null),
});
export type DriveCursor = z.infer<typeof cursorSchema>;
/** Of a cursor: see `keepPartsInJournal`. */
export const drivePlaces = ["drives"];

export function parseDriveCursor(cursor: Cursor | null, settings: string): DriveCursor {
  const parsed = cursorSchema.safeParse(cursor);
  if (parsed.success && parsed.data.settings === settings) return parsed.data;
  return { version: 1, settings, drives: {}, auditedRef: "", left: null };
}

export function digest(...parts: (string | number | null | undefined)[]): string {
  return hash("sha256", JSON.stringify(parts), "base64url").slice(0, 24);
}
