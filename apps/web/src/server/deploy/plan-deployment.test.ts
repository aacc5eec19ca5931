import { describe, expect, it } from "vitest";
import { planDeployment } from "./plan-deployment.ts";

const digestOf = (number: number) => String(number).repeat(64);
const nameOf = (number: number) => `support@${digestOf(number).slice(0, 12)}`;
const replica = { id: "r1", url: "http://one", baseModel: "base", status: "ready" as const, maxLoraRank: 16 };
const pointsAt = (alias: string, version: number) => ({
  alias,
  adapterVersionId: `v${version}`,
  servingName: nameOf(version),
  version,
});

const plan = (version: number, changes: Partial<Parameters<typeof planDeployment>[0]> = {}) =>
  planDeployment({
    adapter: { name: "support", baseModel: "base" },
    version: { id: `v${version}`, version, digest: digestOf(version), rank: 16 },
    alias: "production",
    current: [],
    replicas: [replica],
    residencies: [],
    underWay: false,
    ...changes,
  });
const skipped = (result: ReturnType<typeof plan>) =>
  result.steps.filter((step) => step.skipped).map(({ step }) => step);

describe("planning a deployment", () => {
  it("replaces nothing when the alias is new", () => {
    const result = plan(1);
    expect(result).toMatchObject({ change: "first", replaces: null, blockers: [] });
    expect(skipped(result)).toEqual(["drain", "unload"]);
  });

  it("drains and unloads the version that it replaces, in either direction", () => {
    expect(plan(2, { current: [pointsAt("production", 1)] })).toMatchObject({
      change: "forward",
      replaces: { version: 1 },
    });
    const back = plan(1, { current: [pointsAt("production", 2)] });
    expect(back).toMatchObject({ change: "back", replaces: { version: 2, servingName: nameOf(2) } });
    expect(skipped(back)).toEqual([]);
  });

  it("keeps a version loaded that another alias still serves", () => {
    const result = plan(2, { current: [pointsAt("production", 1), pointsAt("canary", 1)] });
    expect(skipped(result)).toEqual(["drain", "unload"]);
    expect(result.steps.at(-1)?.text).toContain("support@canary");
  });

  it("never unloads the version that it deploys again", () => {
    const result = plan(1, { current: [pointsAt("production", 1)] });
    expect(result).toMatchObject({ change: "same", replaces: null });
    expect(skipped(result)).toEqual(["drain", "unload"]);
  });

  it("refuses what an engine could not load, and a second deployment at the same time", () => {
    expect(plan(1, { replicas: [{ ...replica, maxLoraRank: 8 }] }).blockers).toHaveLength(1);
    expect(plan(1, { replicas: [{ ...replica, baseModel: "other" }] }).blockers).toHaveLength(1);
    expect(plan(1, { underWay: true }).blockers[0]).toContain("under way");
  });

  it("says beforehand that no engine is ready, and asks nothing of one that is down", () => {
    const result = plan(1, { replicas: [{ ...replica, status: "down", baseModel: "other" }] });
    expect(result.blockers).toEqual([]);
    expect(result.warnings).toHaveLength(1);
  });
});
