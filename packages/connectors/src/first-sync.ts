import type { Cursor } from "@anneal/core/connect/change";
import { isAnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { ConnectContext } from "./connector.ts";

/**
 * The cursor of a kind that begins at its start each time: nothing, but while a source is gone through for the first time,
 * which goes on after a kill; then what was found out of how many documents there are.
 */
const firstCursorSchema = z.object({ version: z.literal(1), first: z.object({ total: z.number().nullable() }) });

export type FirstSync = z.infer<typeof firstCursorSchema>["first"];

/**
 * @param count how many documents there are; asked for once, before the first of them is read
 * @returns null for a sync of a source that was gone through before, which is told by what is held of it
 */
export async function beginFirstSync(
  cursor: Cursor | null,
  count: () => Promise<number | null> = async () => null,
): Promise<FirstSync | null> {
  if (cursor === null) return { total: await count() };
  const parsed = firstCursorSchema.safeParse(cursor);
  return parsed.success ? parsed.data.first : null;
}

/** For a checkpoint on the way. */
export function cursorOnTheWay(first: FirstSync | null): Cursor {
  return first === null ? { version: 1 } : { version: 1, first };
}

/**
 * How many documents there are, for people who wait for a first sync: by a listing that reads nothing of them. One that is
 * refused costs them the time left, and no more.
 */
export async function countOrNull(
  { signal }: Pick<ConnectContext, "signal">,
  count: () => Promise<number>,
): Promise<number | null> {
  try {
    return await count();
  } catch (error) {
    signal.throwIfAborted();
    if (!isAnnealError(error)) throw error;
    return null;
  }
}
