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
    evaluation: { version: { loss: 1, baseLoss: 2, examples: 20, datasetVersionId: "d1" }, current: null },
    assistants: [],
    ...changes,
  });
const skipped = (result: ReturnType<typeof plan>) =>
  result.steps.filter((step) => step.skipped).map(({ step }) => step);

describe("planning a deployment", () => {
  const evaluated = (loss: number, datasetVersionId = "d1") => ({
    loss,
    baseLoss: 1.5,
    examples: 20,
    datasetVersionId,
  });

  it("warns of a version that does worse than what serves, or than the base model, and says on how many examples", () => {
    const current = [pointsAt("production", 1)];
    const warningsOf = (version: ReturnType<typeof evaluated> | null, serving: ReturnType<typeof evaluated> | null) =>
      plan(2, { current, evaluation: { version, current: serving } }).warnings;
    expect(warningsOf(evaluated(0.9), evaluated(1))).toEqual([]);
    expect(warningsOf(evaluated(1.2), evaluated(1))).toEqual([
      "Version 2 does worse than version 1, which serves: loss 1.200 on 20 held-out examples, 1.000 on the same examples.",
    ]);
    expect(warningsOf(evaluated(1.2), evaluated(1, "d2"))[0]).toContain("1.000 on other examples (20)");
    expect(warningsOf(evaluated(1.6), evaluated(1.7))).toEqual([
      "Version 2 does worse than the base model on 20 held-out examples: loss 1.600, base 1.500.",
    ]);
    expect(warningsOf(null, evaluated(1))).toEqual([expect.stringContaining("was not measured")]);
  });

  it("names the assistants whose answers change, and none when nothing changes", () => {
    const named = { assistants: ["helpdesk"], current: [pointsAt("production", 1)] };
    expect(plan(2, named).assistants).toEqual(["helpdesk"]);
    expect(plan(1, named).assistants).toEqual([]);
  });

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
