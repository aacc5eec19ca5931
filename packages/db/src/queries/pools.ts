import { and, asc, desc, eq, isNotNull, isNull, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { allocations, pools, type PoolNode } from "../schema.ts";

export type Pool = typeof pools.$inferSelect;
export type Allocation = typeof allocations.$inferSelect;

export async function savePool(
  db: Database,
  pool: { name: string; profile: Pool["profile"]; nodes: PoolNode[] },
): Promise<Pool> {
  const [row] = await db
    .insert(pools)
    .values(pool)
    .onConflictDoUpdate({ target: pools.name, set: { nodes: pool.nodes, profile: pool.profile } })
    .returning();
  return row!;
}

export async function listPools(db: Database): Promise<Pool[]> {
  return db.select().from(pools).orderBy(asc(pools.name));
}

export async function listAllocations(db: Database, poolId?: string): Promise<Allocation[]> {
  return db
    .select()
    .from(allocations)
    .where(and(isNull(allocations.releasedAt), poolId === undefined ? undefined : eq(allocations.poolId, poolId)))
    .orderBy(desc(allocations.createdAt));
}

/** What was booked and is free again, newest first: how good the predictions were. */
export async function listReleasedAllocations(db: Database, limit = 20): Promise<Allocation[]> {
  return db
    .select()
    .from(allocations)
    .where(and(isNotNull(allocations.releasedAt), isNotNull(allocations.measuredBytes)))
    .orderBy(desc(allocations.releasedAt))
    .limit(limit);
}

/**
 * Decides and books in one transaction that locks the pool, so that two schedulers never over-commit.
 * @param decide pure: sees the pool's nodes and what is booked on them; returns the booking, or null to book nothing.
 */
export async function admit<T>(
  db: Database,
  poolName: string,
  subject: string,
  decide: (
    pool: Pool,
    booked: Allocation[],
  ) => {
    decision: T;
    booking: {
      node: string;
      memoryBytes: number;
      workspaceId: string | null;
      explanation: Record<string, unknown>;
    } | null;
  },
): Promise<T | null> {
  return db.transaction(async (tx) => {
    const [pool] = await tx.select().from(pools).where(eq(pools.name, poolName)).for("update");
    if (!pool) return null;
    const booked = await tx
      .select()
      .from(allocations)
      .where(and(eq(allocations.poolId, pool.id), isNull(allocations.releasedAt)));
    const { decision, booking } = decide(
      pool,
      booked.filter((allocation) => allocation.subject !== subject),
    );
    // A repeated request replaces its own booking: admission is idempotent by subject.
    await tx
      .update(allocations)
      .set({ releasedAt: sql`now()` })
      .where(and(eq(allocations.subject, subject), isNull(allocations.releasedAt)));
    if (booking !== null) await tx.insert(allocations).values({ ...booking, poolId: pool.id, subject });
    return decision;
  });
}

export async function measureAllocation(db: Database, subject: string, measuredBytes: number): Promise<void> {
  await db
    .update(allocations)
    .set({ measuredBytes })
    .where(and(eq(allocations.subject, subject), isNull(allocations.releasedAt)));
}

export async function releaseAllocation(db: Database, subject: string): Promise<void> {
  await db
    .update(allocations)
    .set({ releasedAt: sql`now()` })
    .where(and(eq(allocations.subject, subject), isNull(allocations.releasedAt)));
}
