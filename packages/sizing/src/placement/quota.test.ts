import { describe, expect, it } from "vitest";
import { createCluster } from "./create-cluster.ts";
import { setTeam } from "./node-events.ts";
import { finishWork, startWaiting, submitRequest } from "./schedule.ts";
import { ask, h100Nodes } from "./test-cluster.ts";

const hour = 3_600_000;

describe("quotas", () => {
  const teams = [
    { name: "red", nominalGpuMilli: 8000, borrowingLimitGpuMilli: 4000 },
    { name: "blue", nominalGpuMilli: 8000, borrowingLimitGpuMilli: 0 },
  ];

  it("lets a team borrow up to its limit and no further", () => {
    const cluster = createCluster({ nodes: h100Nodes(4), teams });
    expect(submitRequest(cluster, ask("a", { gpus: 8 }), 0)).toMatchObject({ status: "admitted", borrowedGpuMilli: 0 });
    expect(submitRequest(cluster, ask("b", { gpus: 4 }), 0)).toMatchObject({
      status: "admitted",
      borrowedGpuMilli: 4000,
    });
    const third = submitRequest(cluster, ask("c", { gpus: 1 }), 0);
    expect(third).toMatchObject({ status: "queued", code: "quota" });
    expect(third.reason).toContain("12 GPUs of 12 GPUs");
    finishWork(cluster, "b", hour);
    expect(startWaiting(cluster, hour)).toMatchObject([{ id: "c", status: "admitted" }]);
  });

  it("refuses what is beyond the quota for ever, and says by how much", () => {
    const cluster = createCluster({ nodes: h100Nodes(4), teams });
    const decision = submitRequest(cluster, ask("a", { team: "blue", gpus: 8, count: 2 }), 0);
    expect(decision).toMatchObject({ status: "refused", code: "over-quota" });
    expect(decision.reason).toContain("16 GPUs");
    expect(decision.reason).toContain("8 GPUs");
  });

  it("does not lend what could not be taken back", () => {
    const cluster = createCluster({ nodes: h100Nodes(4), teams });
    submitRequest(cluster, ask("a", { kind: "serving", gpus: 8 }), 0);
    expect(submitRequest(cluster, ask("b", { kind: "serving", gpus: 2 }), 0)).toMatchObject({
      status: "queued",
      code: "quota",
    });
    expect(submitRequest(cluster, ask("c", { kind: "training", gpus: 2 }), 0)).toMatchObject({ status: "admitted" });
  });

  it("serves the team with the smaller share first", () => {
    const cluster = createCluster({ nodes: h100Nodes(1), teams: [{ name: "red" }, { name: "blue" }] });
    submitRequest(cluster, ask("red-1", { gpus: 6 }), 0);
    submitRequest(cluster, ask("blue-1", { team: "blue", gpus: 2 }), 0);
    submitRequest(cluster, ask("red-2", { gpus: 2 }), 1);
    submitRequest(cluster, ask("blue-2", { team: "blue", gpus: 2 }), 2);
    finishWork(cluster, "blue-1", 3);
    expect(startWaiting(cluster, 3).map(({ id }) => id)).toEqual(["blue-2"]);
  });

  it("lets no small work of a team overtake for ever what waits for its quota", () => {
    const cluster = createCluster({ nodes: h100Nodes(4), teams });
    submitRequest(cluster, ask("a", { team: "blue", gpus: 4 }), 0);
    submitRequest(cluster, ask("large", { team: "blue", gpus: 8 }), 0);
    expect(submitRequest(cluster, ask("small-1", { team: "blue" }), hour).status).toBe("admitted");
    expect(submitRequest(cluster, ask("small-2", { team: "blue" }), 3 * hour)).toMatchObject({
      status: "queued",
      code: "behind",
    });
  });

  it.each([
    [
      "more nominal quota than GPUs",
      { teams: [{ name: "red", nominalGpuMilli: 64_000 }] },
      "add up to 64 GPUs, and the cluster has 16",
    ],
    ["a borrowing limit without a quota", { teams: [{ name: "red", borrowingLimitGpuMilli: 1 }] }, "no nominal quota"],
    [
      "a reserve larger than its pool",
      { teams: [], pools: [{ name: "default", servingReserveGpuMilli: 17_000 }] },
      "reserves 17 GPUs",
    ],
    [
      "a reserve in a pool without serving",
      { teams: [], pools: [{ name: "default", kinds: ["training" as const], servingReserveGpuMilli: 1 }] },
      "takes no serving",
    ],
    ["a team listed twice", { teams: [{ name: "red" }, { name: "red" }] }, "listed twice"],
    ["a negative quota", { teams: [{ name: "red", nominalGpuMilli: -1 }] }, "teams.0.nominalGpuMilli"],
  ])("rejects %s", (_, change, message) => {
    expect(() => createCluster({ nodes: h100Nodes(2), ...change })).toThrow(message);
  });

  it("keeps the old quota when a new one contradicts the others", () => {
    const cluster = createCluster({ nodes: h100Nodes(2), teams });
    const { spec } = cluster.teams.get("red")!;
    expect(() => setTeam(cluster, { ...spec, nominalGpuMilli: 9000 })).toThrow("add up to 17 GPUs");
    expect(cluster.teams.get("red")?.spec.nominalGpuMilli).toBe(8000);
  });

  it("keeps the serving reserve free of training, and takes training's place beyond it", () => {
    const cluster = createCluster({
      nodes: h100Nodes(1),
      pools: [{ name: "default", servingReserveGpuMilli: 4000 }],
      teams: [{ name: "red" }],
    });
    submitRequest(cluster, ask("train-1", { gpus: 4 }), 0);
    const second = submitRequest(cluster, ask("train-2", { gpus: 1 }), 0);
    expect(second).toMatchObject({
      status: "queued",
      explanation: { nodes: [{ reason: "serving-reserve", count: 1 }] },
    });
    expect(submitRequest(cluster, ask("chat-1", { kind: "serving", gpus: 4 }), 0)).toMatchObject({
      status: "admitted",
      evict: [],
    });
    expect(submitRequest(cluster, ask("chat-2", { kind: "serving", gpus: 4 }), 0)).toMatchObject({
      evict: [{ id: "train-1" }],
    });
  });
});

describe("budgets", () => {
  const budget = {
    unit: "gpu-hours" as const,
    limit: 100,
    renewsAtMs: Date.UTC(2026, 11, 1),
    periodMs: 30 * 24 * hour,
  };
  const start = Date.UTC(2026, 10, 20);
  const create = () => createCluster({ nodes: h100Nodes(4), teams: [{ name: "red", budgets: [budget] }] });

  it("refuses with what is left and the date of the renewal", () => {
    const cluster = create();
    submitRequest(cluster, ask("a", { gpus: 8, expectedHours: 10 }), start);
    const decision = submitRequest(cluster, ask("b", { gpus: 8, expectedHours: 4 }), start);
    expect(decision).toMatchObject({ status: "refused", code: "budget", budget: { left: 20, needed: 32, limit: 100 } });
    expect(decision.reason).toBe(
      "The team red has 20.0 GPU-hours left of 100.0 GPU-hours; this needs 32.0 GPU-hours. The budget renews on 2026-12-01 00:00 UTC.",
    );
  });

  it("draws what was used, not what was expected, and starts anew with the next period", () => {
    const cluster = create();
    submitRequest(cluster, ask("a", { gpus: 8, expectedHours: 10 }), start);
    finishWork(cluster, "a", start + 5 * hour);
    expect(cluster.teams.get("red")?.spec.budgets[0]).toMatchObject({ spent: 40 });
    expect(submitRequest(cluster, ask("b", { gpus: 8, expectedHours: 8 }), start + 5 * hour)).toMatchObject({
      code: "budget",
    });
    expect(submitRequest(cluster, ask("c", { gpus: 8, expectedHours: 8 }), budget.renewsAtMs)).toMatchObject({
      status: "admitted",
    });
  });

  it("counts tokens where the budget is in tokens", () => {
    const tokens = { ...budget, unit: "tokens" as const, limit: 1e6 };
    const cluster = createCluster({ nodes: h100Nodes(1), teams: [{ name: "red", budgets: [tokens] }] });
    expect(submitRequest(cluster, ask("a", { tokens: 9e5 }), start).status).toBe("admitted");
    expect(submitRequest(cluster, ask("b", { tokens: 2e5 }), start).reason).toContain(
      "100000 tokens left of 1000000 tokens",
    );
  });
});
