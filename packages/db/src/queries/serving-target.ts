import { asc, eq } from "drizzle-orm";
import type { Database } from "../database.ts";
import { servingTargets } from "../schema.ts";

export type ServingTarget = typeof servingTargets.$inferSelect;

export async function getServingTarget(db: Database, baseModel: string): Promise<ServingTarget | undefined> {
  const [row] = await db.select().from(servingTargets).where(eq(servingTargets.baseModel, baseModel));
  return row;
}

/** Leaves one that is there as it is: what people and the autoscaler decided outlives a restart. */
export async function ensureServingTarget(db: Database, target: ServingTarget): Promise<void> {
  await db.insert(servingTargets).values(target).onConflictDoNothing();
}

export async function listServingTargets(db: Database): Promise<ServingTarget[]> {
  return db.select().from(servingTargets).orderBy(asc(servingTargets.baseModel));
}

/** @returns false when there is none of this model */
export async function updateServingTarget(
  db: Database,
  baseModel: string,
  changes: Partial<Omit<ServingTarget, "baseModel">>,
): Promise<boolean> {
  const rows = await db
    .update(servingTargets)
    .set(changes)
    .where(eq(servingTargets.baseModel, baseModel))
    .returning({ baseModel: servingTargets.baseModel });
  return rows.length > 0;
}
