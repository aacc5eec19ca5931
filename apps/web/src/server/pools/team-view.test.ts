import { describe, expect, it } from "vitest";
import type { Team } from "@anneal/db/queries/pools";
import { placementOf } from "./placement.fixture.ts";
import { mergeTeam, toTeamViews } from "./team-view.ts";

const dayMs = 86_400_000;
const now = new Date(100 * dayMs);
const budget = { unit: "gpu-hours" as const, limit: 100, spent: 40, renewsAtMs: 101 * dayMs, periodMs: 30 * dayMs };
const team = (name: string, workspaceId: string | null, changes: Partial<Team["spec"]> = {}): Team => ({
  name,
  workspaceId,
  spec: { name, nominalGpuMilli: 4000, borrowingLimitGpuMilli: null, weight: 1, budgets: [], ...changes },
});

describe("teams beside what they use", () => {
  it("counts the GPUs of what runs, and what waits apart", () => {
    const running = placementOf({ members: [{ member: 0, node: "a", gpus: [{ index: 0, milli: 500 }] }] });
    running.request.team = "research";
    const waiting = placementOf({ subject: "training:2", status: "waiting", members: [] });
    waiting.request.team = "research";
    const [research] = toTeamViews([team("research", "mine")], [running, waiting], "mine", now);
    expect(research).toMatchObject({ own: true, implied: false, usedGpuMilli: 500, running: 1, waiting: 1 });
  });

  it("names the unlimited one that counts where a workspace has none of its own", () => {
    const views = toTeamViews([team("research", "theirs")], [placementOf()], "mine", now);
    expect(views.map(({ name, own, implied, running }) => ({ name, own, implied, running }))).toEqual([
      { name: "research", own: false, implied: false, running: 0 },
      { name: "default", own: true, implied: true, running: 1 },
    ]);
  });

  it("shows a budget whose period is over as the next one, of which nothing is spent", () => {
    const late = { ...budget, renewsAtMs: 99 * dayMs };
    const [shown] = toTeamViews([team("research", "mine", { budgets: [late] })], [], "mine", now);
    expect(shown?.budgets).toEqual([{ ...late, spent: 0, renewsAtMs: 129 * dayMs }]);
  });
});

describe("saving a team", () => {
  const wanted = (own: boolean, budgets = [{ ...budget, spent: 0 }]) => ({
    ...team("research", null, { budgets }).spec,
    own,
  });

  it("keeps what has been spent of a budget, whatever the form says", () => {
    const stored = team("research", "mine", { budgets: [{ ...budget, spent: 70 }] });
    expect(mergeTeam(stored, wanted(true), "mine", now).spec.budgets).toEqual([{ ...budget, spent: 70 }]);
    expect(mergeTeam(undefined, wanted(true, [budget]), "mine", now).spec.budgets).toEqual([{ ...budget, spent: 0 }]);
  });

  it("carries nothing over from a period that has ended", () => {
    const stored = team("research", "mine", { budgets: [{ ...budget, renewsAtMs: 99 * dayMs }] });
    expect(mergeTeam(stored, wanted(true), "mine", now).spec.budgets).toMatchObject([{ spent: 0 }]);
  });

  it("leaves another workspace's team with it, takes it over, and lets one's own go", () => {
    const of = (stored: string | null, own: boolean) =>
      mergeTeam(team("research", stored), wanted(own), "mine", now).workspaceId;
    expect(of("theirs", false)).toBe("theirs");
    expect(of("theirs", true)).toBe("mine");
    expect(of("mine", false)).toBeNull();
    expect(of(null, true)).toBe("mine");
  });

  it("ties the default team to no workspace", () => {
    const spec = { ...wanted(true), name: "default" };
    expect(mergeTeam(undefined, spec, "mine", now).workspaceId).toBeNull();
  });
});
