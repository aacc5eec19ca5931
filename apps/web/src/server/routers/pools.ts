import { listReplicas, listResidencies } from "@anneal/db/queries/serving";
import { listAllocations, listPools, listReleasedAllocations } from "@anneal/db/queries/pools";
import { toBooking, toPoolView } from "#server/pools/pool-view.ts";
import { operatorProcedure, router } from "#server/trpc.ts";

export const poolsRouter = router({
  /** Machines and engines are shared by all workspaces; what runs on them for others has no name here. */
  overview: operatorProcedure.query(async ({ ctx: { db, scope } }) => {
    const [pools, allocations, released, replicas, residencies] = await Promise.all([
      listPools(db),
      listAllocations(db),
      listReleasedAllocations(db),
      listReplicas(db),
      listResidencies(db),
    ]);
    return {
      pools: pools.map((pool) => toPoolView(pool, allocations, scope.workspaceId)),
      past: released
        .map((allocation) => toBooking(allocation, scope.workspaceId))
        .filter((booking) => booking.subject !== null),
      replicas: replicas.map((replica) => ({
        ...replica,
        adapters: residencies
          .filter((residency) => residency.replicaId === replica.id)
          .map(({ workspaceId, servingName, desired, observed, error, updatedAt }) => {
            const own = workspaceId === scope.workspaceId;
            return { servingName: own ? servingName : null, desired, observed, error: own ? error : null, updatedAt };
          }),
      })),
    };
  }),
});
