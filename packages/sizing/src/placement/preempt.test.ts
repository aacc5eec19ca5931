import { describe, expect, it } from "vitest";
import { createCluster } from "./create-cluster.ts";
import { finishWork, noteCheckpoint, startWaiting, submitRequest } from "./schedule.ts";
import { ask, h100Nodes } from "./test-cluster.ts";

const hour = 3_600_000;
const evictedBy = (decision: ReturnType<typeof submitRequest>) =>
  decision.status === "admitted" ? decision.evict.map(({ id }) => id) : [decision.status];

describe("preemption", () => {
  it("stops the work that loses least: what has just written a checkpoint", () => {
    const cluster = createCluster({ nodes: h100Nodes(2), teams: [{ name: "red" }] });
    submitRequest(cluster, ask("old", { gpus: 8 }), 0);
    submitRequest(cluster, ask("saved", { gpus: 8 }), 0);
    noteCheckpoint(cluster, "saved", 9.5 * hour);
    const decision = submitRequest(cluster, ask("urgent", { gpus: 8, priority: 5 }), 10 * hour);
    expect(decision).toMatchObject({ status: "admitted", evict: [{ id: "saved", team: "red", lostGpuHours: 4 }] });
    expect(cluster.waiting.has("saved")).toBe(true);
    expect(cluster.jobs.has("old")).toBe(true);
  });

  it("stops no more than it needs, on the node where that is cheapest", () => {
    const cluster = createCluster({ nodes: h100Nodes(2), teams: [{ name: "red" }] });
    for (const [id, gpus] of [
      ["a", 5],
      ["b", 3],
      ["c", 6],
      ["d", 2],
    ] as const)
      submitRequest(cluster, ask(id, { gpus }), 0);
    expect(evictedBy(submitRequest(cluster, ask("urgent", { gpus: 2, priority: 1 }), hour))).toEqual(["d"]);
  });

  it("never stops serving for training, whatever its priority", () => {
    const cluster = createCluster({ nodes: h100Nodes(1), teams: [{ name: "red" }] });
    submitRequest(cluster, ask("chat", { kind: "serving", gpus: 8, preemptible: true }), 0);
    expect(submitRequest(cluster, ask("train", { gpus: 8, priority: 1000 }), hour).status).toBe("queued");
  });

  it("stops training for serving, even of higher priority", () => {
    const cluster = createCluster({ nodes: h100Nodes(1), teams: [{ name: "red" }] });
    submitRequest(cluster, ask("train", { gpus: 8, priority: 1000 }), 0);
    expect(evictedBy(submitRequest(cluster, ask("chat", { kind: "serving", gpus: 8 }), hour))).toEqual(["train"]);
  });

  it("leaves alone what has equal priority or may not be stopped", () => {
    const cluster = createCluster({ nodes: h100Nodes(2), teams: [{ name: "red" }] });
    submitRequest(cluster, ask("equal", { gpus: 8, priority: 3 }), 0);
    submitRequest(cluster, ask("fixed", { gpus: 8, preemptible: false }), 0);
    expect(submitRequest(cluster, ask("next", { gpus: 8, priority: 3 }), hour).status).toBe("queued");
  });

  it("stops a gang whole, and gives its nodes to the gang that asked", () => {
    const cluster = createCluster({ nodes: h100Nodes(2), teams: [{ name: "red" }] });
    submitRequest(cluster, ask("low", { gpus: 8, count: 2 }), 0);
    const decision = submitRequest(cluster, ask("high", { gpus: 8, priority: 1 }), hour);
    expect(evictedBy(decision)).toEqual(["low"]);
    expect([...cluster.jobs.keys()]).toEqual(["high"]);
    finishWork(cluster, "high", 2 * hour);
    expect(startWaiting(cluster, 2 * hour).map(({ id }) => id)).toEqual(["low"]);
  });

  it("takes back what other teams borrowed as soon as a team wants its own", () => {
    const teams = [
      { name: "red", nominalGpuMilli: 8000 },
      { name: "blue", nominalGpuMilli: 8000 },
    ];
    const cluster = createCluster({ nodes: h100Nodes(2), teams });
    submitRequest(cluster, ask("own", { gpus: 8 }), 0);
    expect(submitRequest(cluster, ask("borrowed", { gpus: 8 }), 1)).toMatchObject({
      status: "admitted",
      borrowedGpuMilli: 8000,
    });
    const decision = submitRequest(cluster, ask("blue-1", { team: "blue", gpus: 8 }), hour);
    expect(evictedBy(decision)).toEqual(["borrowed"]);
    // Blue has its own back; red is within its quota now and keeps it.
    expect(submitRequest(cluster, ask("blue-2", { team: "blue", gpus: 8 }), hour)).toMatchObject({ status: "queued" });
  });
});
