import { and, asc, desc, eq, sql } from "drizzle-orm";
import { inWorkspace, requireRow, type Scope } from "../database.ts";
import { adapters, adapterVersions, type Lineage } from "../schema.ts";

export type Adapter = typeof adapters.$inferSelect;
export type AdapterVersion = typeof adapterVersions.$inferSelect;

/** Registers a version under its digest; an equal one that exists already is returned as it is. */
export async function saveAdapterVersion(
  scope: Scope,
  adapter: { name: string; baseModel: string },
  version: {
    id: string;
    digest: string;
    objectPrefix: string;
    rank: number;
    sizeBytes: number;
    lineage: Lineage;
    metrics: Record<string, unknown>;
    card: string;
  },
): Promise<{ adapter: Adapter; version: AdapterVersion; created: boolean }> {
  return inWorkspace(scope, async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtext(${`${scope.workspaceId}:adapter:${adapter.name}`}))`);
    await tx
      .insert(adapters)
      .values({ ...adapter, workspaceId: scope.workspaceId })
      .onConflictDoNothing({ target: [adapters.workspaceId, adapters.name] });
    const [parent] = await tx
      .select()
      .from(adapters)
      .where(and(eq(adapters.workspaceId, scope.workspaceId), eq(adapters.name, adapter.name)));
    const [existing] = await tx
      .select()
      .from(adapterVersions)
      .where(and(eq(adapterVersions.adapterId, parent!.id), eq(adapterVersions.digest, version.digest)));
    if (existing) return { adapter: parent!, version: existing, created: false };
    const [last] = await tx
      .select({ version: sql<number>`coalesce(max(${adapterVersions.version}), 0)::int` })
      .from(adapterVersions)
      .where(eq(adapterVersions.adapterId, parent!.id));
    const [row] = await tx
      .insert(adapterVersions)
      .values({
        ...version,
        workspaceId: scope.workspaceId,
        adapterId: parent!.id,
        version: (last?.version ?? 0) + 1,
      })
      .returning();
    return { adapter: parent!, version: row!, created: true };
  });
}

export async function getAdapterVersion(scope: Scope, adapterVersionId: string) {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select({ version: adapterVersions, adapter: adapters })
      .from(adapterVersions)
      .innerJoin(adapters, eq(adapters.id, adapterVersions.adapterId))
      .where(and(eq(adapterVersions.id, adapterVersionId), eq(adapterVersions.workspaceId, scope.workspaceId))),
  );
  return requireRow(row, "adapter version", adapterVersionId);
}

export async function listAdapterVersions(scope: Scope) {
  return inWorkspace(scope, (tx) =>
    tx
      .select({ version: adapterVersions, adapter: adapters })
      .from(adapterVersions)
      .innerJoin(adapters, eq(adapters.id, adapterVersions.adapterId))
      .where(eq(adapterVersions.workspaceId, scope.workspaceId))
      .orderBy(asc(adapters.name), desc(adapterVersions.version)),
  );
}

export async function getAdapter(scope: Scope, adapterId: string): Promise<Adapter> {
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select()
      .from(adapters)
      .where(and(eq(adapters.id, adapterId), eq(adapters.workspaceId, scope.workspaceId))),
  );
  return requireRow(row, "adapter", adapterId);
}
