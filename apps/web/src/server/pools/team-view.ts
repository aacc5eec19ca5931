import { defaultTeam, type Placement, type Team } from "@anneal/db/queries/pools";
import { budgetAt } from "@anneal/sizing/placement/budget";
import type { TeamSpec } from "@anneal/sizing/placement/cluster-snapshot";

export type TeamView = TeamSpec & {
  /** This workspace's work counts against it. */
  own: boolean;
  /** Nobody has written it down: it has no limits. */
  implied: boolean;
  usedGpuMilli: number;
  running: number;
  waiting: number;
};

const unlimited: TeamSpec = {
  name: defaultTeam,
  nominalGpuMilli: null,
  borrowingLimitGpuMilli: null,
  weight: 1,
  budgets: [],
};

/**
 * Quotas beside what is used of them now, with the team that counts where a workspace has none. A budget whose period
 * is over is shown as its next one.
 */
export function toTeamViews(
  teams: readonly Team[],
  active: readonly Placement[],
  workspaceId: string,
  now: Date,
): TeamView[] {
  const hasOwn = teams.some((team) => team.workspaceId === workspaceId);
  const written = teams.map(({ spec, workspaceId: of }) => ({ spec, of, implied: false }));
  const all = teams.some(({ name }) => name === defaultTeam)
    ? written
    : [...written, { spec: unlimited, of: null, implied: true }];
  return all.map(({ spec, of, implied }) => {
    const counted = active.filter(({ request }) => request.team === spec.name);
    const held = counted.flatMap(({ members }) => members.flatMap(({ gpus }) => gpus));
    return {
      ...spec,
      budgets: spec.budgets.map((budget) => budgetAt(budget, now.getTime())),
      own: of === workspaceId || (!hasOwn && spec.name === defaultTeam),
      implied,
      usedGpuMilli: held.reduce((sum, { milli }) => sum + milli, 0),
      running: counted.filter(({ status }) => status === "running").length,
      waiting: counted.filter(({ status }) => status === "waiting").length,
    };
  });
}

/**
 * What a form sends, with what has been spent since it was opened: a budget keeps what was drawn from it. A team stays
 * with the workspace that it belongs to, unless this one takes it or lets it go.
 */
export function mergeTeam(
  stored: Team | undefined,
  { own, ...spec }: TeamSpec & { own: boolean },
  workspaceId: string,
  now: Date,
): { spec: TeamSpec; workspaceId: string | null } {
  const current = stored?.spec.budgets.map((budget) => budgetAt(budget, now.getTime()));
  const spentOf = new Map(current?.map(({ unit, spent }) => [unit, spent]));
  const others = stored?.workspaceId === workspaceId ? null : (stored?.workspaceId ?? null);
  return {
    spec: { ...spec, budgets: spec.budgets.map((budget) => ({ ...budget, spent: spentOf.get(budget.unit) ?? 0 })) },
    // The default team is that of every workspace without one.
    workspaceId: spec.name === defaultTeam ? null : own ? workspaceId : others,
  };
}
