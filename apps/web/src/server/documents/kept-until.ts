import { env } from "#env.ts";

const dayMs = 24 * 60 * 60_000;

/** When a deleted document can no longer be restored; the worker removes it within a day after that. */
export function keptUntil(deletedAt: Date | null): Date | null {
  return deletedAt && new Date(deletedAt.getTime() + env().ANNEAL_TOMBSTONE_DAYS * dayMs);
}
