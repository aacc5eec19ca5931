import { describe, expect, it } from "vitest";
import { createCluster, toSnapshot } from "./create-cluster.ts";
import { cordonNode, drainNode, loseNode, returnNode, uncordonNode } from "./node-events.ts";
import { finishWork, startWaiting, submitRequest } from "./schedule.ts";
import { ask, h100Nodes } from "./test-cluster.ts";

const hour = 3_600_000;
const teams = [{ name: "red" }];

describe("what happens to nodes", () => {
  it("stops a gang whole when one of its nodes vanishes, and starts it whole elsewhere", () => {
    const cluster = createCluster({ nodes: h100Nodes(3), teams });
    submitRequest(cluster, ask("gang", { gpus: 8, count: 2 }), 0);
    expect(loseNode(cluster, "a", hour)).toEqual(["gang"]);
    expect(cluster.jobs.size).toBe(0);
    const [again] = startWaiting(cluster, hour);
    expect(again).toMatchObject({ id: "gang", status: "admitted" });
    expect(again?.status === "admitted" && again.placements.map(({ node }) => node).toSorted()).toEqual(["b", "c"]);
    loseNode(cluster, "b", 2 * hour);
    expect(startWaiting(cluster, 2 * hour)).toEqual([]);
    returnNode(cluster, "a");
    expect(startWaiting(cluster, 3 * hour)).toHaveLength(1);
  });

  it("keeps what runs on a cordoned node and sends nothing new there", () => {
    const cluster = createCluster({ nodes: h100Nodes(1), teams });
    submitRequest(cluster, ask("one"), 0);
    cordonNode(cluster, "a");
    const decision = submitRequest(cluster, ask("two"), 0);
    expect(decision).toMatchObject({ status: "queued", explanation: { nodes: [{ reason: "cordoned", count: 1 }] } });
    expect(cluster.jobs.has("one")).toBe(true);
    uncordonNode(cluster, "a");
    expect(startWaiting(cluster, 1)).toHaveLength(1);
  });

  it("drains training into the queue and names the serving that has to be moved first", () => {
    const cluster = createCluster({ nodes: h100Nodes(2), teams });
    submitRequest(cluster, ask("train", { gpus: 4 }), 0);
    submitRequest(cluster, ask("chat", { kind: "serving", gpus: 4 }), 0);
    const [node] = cluster.nodes;
    expect(drainNode(cluster, node!.name, hour)).toEqual({ requeued: ["train"], staying: ["chat"] });
    expect(startWaiting(cluster, hour)).toMatchObject([{ id: "train", placements: [{ node: "b" }] }]);
  });

  it("stands still when the clock jumps back", () => {
    const cluster = createCluster({ nodes: h100Nodes(1), teams });
    submitRequest(cluster, ask("one"), 10 * hour);
    submitRequest(cluster, ask("two"), 2 * hour);
    expect(cluster.nowMs).toBe(10 * hour);
    expect(cluster.jobs.get("two")?.startedAtMs).toBe(10 * hour);
  });

  it("answers a repeated submission with what it decided, and runs the work once", () => {
    const cluster = createCluster({ nodes: h100Nodes(1), teams });
    const first = submitRequest(cluster, ask("one", { gpus: 8 }), 0);
    const repeated = submitRequest(cluster, ask("one", { gpus: 8 }), 5);
    expect(repeated).toMatchObject({
      status: "admitted",
      placements: first.status === "admitted" ? first.placements : [],
    });
    submitRequest(cluster, ask("two", { gpus: 8 }), 0);
    expect(submitRequest(cluster, ask("two", { gpus: 8 }), 5)).toMatchObject({ status: "queued" });
    expect([cluster.jobs.size, cluster.waiting.size]).toEqual([1, 1]);
    finishWork(cluster, "one", hour);
    expect(submitRequest(cluster, ask("one", { gpus: 8 }), hour)).toMatchObject({
      status: "refused",
      code: "already-ran",
    });
    expect(() => submitRequest(cluster, ask("two", { gpus: 4 }), hour)).toThrow("already stands for other work");
  });

  it("keeps lost nodes, cordons and the queue in the snapshot", () => {
    const cluster = createCluster({ nodes: h100Nodes(3), teams: [{ name: "red", nominalGpuMilli: 24_000 }] });
    submitRequest(cluster, ask("gang", { gpus: 8, count: 3 }), 0);
    loseNode(cluster, "b", hour);
    cordonNode(cluster, "c");
    const again = createCluster(JSON.parse(JSON.stringify(toSnapshot(cluster))));
    expect(toSnapshot(again)).toEqual(toSnapshot(cluster));
    expect(again.total.gpuMilli).toBe(16_000);
    expect(submitRequest(again, ask("one", { gpus: 8 }), hour)).toMatchObject({
      status: "admitted",
      placements: [{ node: "a" }],
    });
  });
});

describe("waiting", () => {
  it("keeps nodes free for a large gang that has waited long, though small work would always fit", () => {
    const cluster = createCluster({
      nodes: h100Nodes(2),
      teams,
      settings: { agingMs: 1000 * hour, holdAfterMs: hour },
    });
    for (let i = 0; i < 16; i++) submitRequest(cluster, ask(`small${i}`), 0);
    submitRequest(cluster, ask("large", { gpus: 8 }), 0);
    let next = 16;
    let startedAt = -1;
    // One small job ends and one comes, each minute; without holds the large one would never find a whole node.
    for (let minute = 1; minute < 300 && startedAt === -1; minute++) {
      const [oldest] = cluster.jobs.keys();
      if (oldest !== undefined) finishWork(cluster, oldest, minute * 60_000);
      const started = startWaiting(cluster, minute * 60_000);
      if (started.some(({ id }) => id === "large")) startedAt = minute;
      submitRequest(cluster, ask(`small${next++}`), minute * 60_000);
    }
    expect(startedAt).toBeGreaterThanOrEqual(60);
    expect(startedAt).toBeLessThan(100);
  });

  it("lets old work of low priority go before new work of higher priority", () => {
    const cluster = createCluster({ nodes: h100Nodes(1), teams, settings: { agingMs: hour } });
    submitRequest(cluster, ask("running", { gpus: 8, priority: 9 }), 0);
    submitRequest(cluster, ask("old", { gpus: 8, priority: 0 }), 0);
    submitRequest(cluster, ask("new", { gpus: 8, priority: 2 }), 5 * hour);
    finishWork(cluster, "running", 6 * hour);
    expect(startWaiting(cluster, 6 * hour).map(({ id }) => id)).toEqual(["old"]);
    // And what it has gained by waiting protects it while it runs.
    expect(submitRequest(cluster, ask("newer", { gpus: 8, priority: 3 }), 6 * hour).status).toBe("queued");
  });
});
