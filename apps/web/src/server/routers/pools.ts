import { AnnealError } from "@anneal/core/errors";
import {
  drainNode,
  listActivePlacements,
  listMeasuredPlacements,
  listPools,
  listTeams,
  saveTeam,
  schedulePending,
  setCordoned,
} from "@anneal/db/queries/pools";
import { recordAudit } from "@anneal/db/queries/audit";
import { listReplicas, listResidencies } from "@anneal/db/queries/serving";
import { listServingTargets, updateServingTarget } from "@anneal/db/queries/serving-target";
import { SizingError } from "@anneal/sizing/sizing-error";
import { teamSchema } from "@anneal/sizing/placement/cluster-snapshot";
import { z } from "zod";
import { toBooking, toPoolView, toWaiting, viewerOf } from "#server/pools/pool-view.ts";
import { mergeTeam, toTeamViews } from "#server/pools/team-view.ts";
import { adminProcedure, operatorProcedure, router } from "#server/trpc.ts";

export const poolsRouter = router({
  /** Machines and engines are shared by all workspaces; what runs on them for others has no name here. */
  overview: operatorProcedure.query(async ({ ctx: { db, scope } }) => {
    const [pools, active, measured, teams, replicas, residencies, targets] = await Promise.all([
      listPools(db),
      listActivePlacements(db),
      listMeasuredPlacements(db),
      listTeams(db),
      listReplicas(db),
      listResidencies(db),
      listServingTargets(db),
    ]);
    const { workspaceId } = scope;
    const viewer = viewerOf(workspaceId, [...active, ...measured]);
    return {
      pools: pools.map((pool) => toPoolView(pool, active, viewer)),
      waiting: active.filter(({ status }) => status === "waiting").map((each) => toWaiting(each, viewer)),
      past: measured.map((each) => toBooking(each, viewer)).filter(({ subject }) => subject !== null),
      teams: toTeamViews(teams, active, workspaceId, new Date()),
      targets: targets.map(({ controller: _, ...target }) => target),
      replicas: replicas.map((replica) => ({
        ...replica,
        adapters: residencies
          .filter((residency) => residency.replicaId === replica.id)
          .map(({ workspaceId: of, servingName, desired, observed, error, updatedAt }) => {
            const own = of === workspaceId;
            return { servingName: own ? servingName : null, desired, observed, error: own ? error : null, updatedAt };
          }),
      })),
    };
  }),

  /** A cordoned machine gets nothing new; what runs there goes on. */
  setCordoned: adminProcedure
    .input(z.object({ node: z.string().min(1), cordoned: z.boolean() }))
    .mutation(async ({ ctx: { db, scope, identity }, input: { node, cordoned } }) => {
      const action = cordoned ? "pool.cordon" : "pool.uncordon";
      await recordAudit(scope, { actor: identity.email, action, subject: node, details: {} });
      if (!(await setCordoned(db, node, cordoned)))
        throw new AnnealError("NOT_FOUND", `There is no machine ${node}.`, { action: "Reload the page." });
      if (!cordoned) await schedulePending(db);
    }),

  /** A drained machine gets nothing new either, and what runs there goes on elsewhere. */
  drain: adminProcedure
    .input(z.object({ node: z.string().min(1) }))
    .mutation(async ({ ctx: { db, scope, identity }, input: { node } }) => {
      await recordAudit(scope, { actor: identity.email, action: "pool.drain", subject: node, details: {} });
      const moved = await drainNode(db, node);
      if (moved === undefined)
        throw new AnnealError("NOT_FOUND", `There is no machine ${node}.`, { action: "Reload the page." });
      return { moved };
    }),

  /** Quota, weight and budgets of a team; what runs goes on, also above a lowered quota. */
  saveTeam: adminProcedure
    .input(teamSchema.extend({ own: z.boolean().default(false) }))
    .mutation(async ({ ctx: { db, scope, identity }, input: { own, ...spec } }) => {
      await recordAudit(scope, {
        actor: identity.email,
        action: "team.save",
        subject: spec.name,
        details: { ...spec },
      });
      const teams = await listTeams(db);
      const stored = teams.find(({ name }) => name === spec.name);
      await asInput(() => saveTeam(db, mergeTeam(stored, { ...spec, own }, scope.workspaceId, new Date())));
      // A workspace counts against one team.
      const left = teams.filter(({ name, workspaceId }) => name !== spec.name && workspaceId === scope.workspaceId);
      if (own) for (const { spec: of } of left) await saveTeam(db, { spec: of, workspaceId: null });
      await schedulePending(db);
    }),

  /** How many replicas of a base model there are, or between how many the autoscaler chooses. */
  setServingTarget: adminProcedure
    .input(
      z
        .object({
          baseModel: z.string().min(1),
          mode: z.enum(["manual", "automatic"]),
          desired: z.number().int().min(1).max(64),
          minReplicas: z.number().int().min(1).max(64),
          maxReplicas: z.number().int().min(1).max(64),
        })
        .refine(({ minReplicas, maxReplicas }) => minReplicas <= maxReplicas, {
          error: "The least number of replicas is above the largest.",
          path: ["minReplicas"],
        }),
    )
    .mutation(async ({ ctx: { db, scope, identity }, input }) => {
      const { baseModel, ...target } = input;
      await recordAudit(scope, {
        actor: identity.email,
        action: "serving.scale",
        subject: baseModel,
        details: { ...target },
      });
      const reasons = target.mode === "manual" ? [`Set to ${target.desired} by ${identity.email}.`] : [];
      if (!(await updateServingTarget(db, baseModel, { ...target, reasons, decidedAt: new Date() })))
        throw new AnnealError("NOT_FOUND", `No engines of ${baseModel} are started by this platform.`, {
          action: "Engines that ANNEAL_INFERENCE_URLS names are scaled where they run.",
        });
    }),
});

/** What sizing refuses is bad input of the caller. */
async function asInput<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SizingError)) throw error;
    throw new AnnealError("INVALID_INPUT", error.message, {
      action: "Correct it and save again.",
      details: error.details,
    });
  }
}
