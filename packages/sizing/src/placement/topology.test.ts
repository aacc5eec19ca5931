import { describe, expect, it } from "vitest";
import { createCluster } from "./create-cluster.ts";
import { submitRequest } from "./schedule.ts";
import { ask, h100Nodes } from "./test-cluster.ts";

const nodesOf = (decision: ReturnType<typeof submitRequest>) =>
  decision.status === "admitted" ? decision.placements.map(({ node }) => node).toSorted() : [decision.reason];
const teams = [{ name: "red" }];

describe("topology", () => {
  it("keeps a gang on one node before it spreads it", () => {
    const cluster = createCluster({ nodes: h100Nodes(3), teams });
    submitRequest(cluster, ask("busy", { gpus: 6 }), 0);
    const decision = submitRequest(cluster, ask("gang", { gpus: 2, count: 4 }), 0);
    expect(new Set(nodesOf(decision)).size).toBe(1);
    expect(decision).toMatchObject({ level: "nvlink" });
  });

  it("prefers an NVLink domain over several nodes to a rail group, and that to any nodes", () => {
    const nodes = [
      ...h100Nodes(1, { name: "a1", gpus: 4, nvlinkDomain: "rack-a", railGroup: "r1" }),
      ...h100Nodes(1, { name: "b1", gpus: 4, nvlinkDomain: "rack-b", railGroup: "r1" }),
      ...h100Nodes(1, { name: "b2", gpus: 4, nvlinkDomain: "rack-b", railGroup: "r2" }),
      ...h100Nodes(1, { name: "a2", gpus: 4, nvlinkDomain: "rack-c", railGroup: "r2" }),
    ];
    const cluster = createCluster({ nodes, teams });
    const first = submitRequest(cluster, ask("first", { gpus: 4, count: 2 }), 0);
    expect(nodesOf(first)).toEqual(["b1", "b2"]);
    expect(first).toMatchObject({ level: "nvlink" });
    const second = submitRequest(cluster, ask("second", { gpus: 4, count: 2 }), 0);
    expect(nodesOf(second)).toEqual(["a1", "a2"]);
    expect(second).toMatchObject({ level: "pool" });
  });

  it("waits rather than break a required level, and says what could never hold it", () => {
    const cluster = createCluster({ nodes: h100Nodes(2, {}), teams });
    submitRequest(cluster, ask("one", { gpus: 5 }), 0);
    submitRequest(cluster, ask("two", { gpus: 5 }), 0);
    const gang = ask("gang", { gpus: 2, count: 3, topology: { required: "node", apart: false } });
    expect(submitRequest(cluster, gang, 0)).toMatchObject({ status: "queued", code: "no-room" });
    const wide = ask("wide", { gpus: 8, count: 2, topology: { required: "node", apart: false } });
    const refused = submitRequest(cluster, wide, 0);
    expect(refused).toMatchObject({ status: "refused", code: "never-fits" });
    expect(refused.reason).toContain("within one node");
  });

  it("keeps GPUs of one member within a bridged pair where NVLink joins only pairs", () => {
    const cluster = createCluster({ nodes: h100Nodes(1, { gpus: 4, nvlinkGpus: 2 }), teams });
    submitRequest(cluster, ask("single"), 0);
    const decision = submitRequest(
      cluster,
      ask("pair", { gpus: 2, topology: { required: "nvlink", apart: false } }),
      0,
    );
    expect(decision.status === "admitted" && decision.placements[0]?.gpus.map(({ index }) => index)).toEqual([2, 3]);
    const second = submitRequest(
      cluster,
      ask("pair-2", { gpus: 2, topology: { required: "nvlink", apart: false } }),
      0,
    );
    expect(second.status).toBe("queued");
  });

  it("takes GPUs of one NUMA node where one has enough", () => {
    const cluster = createCluster({ nodes: h100Nodes(1, { numaNodes: 2 }), teams });
    submitRequest(cluster, ask("one", { gpus: 1 }), 0);
    const decision = submitRequest(cluster, ask("four", { gpus: 4 }), 0);
    expect(decision.status === "admitted" && decision.placements[0]?.gpus.map(({ index }) => index)).toEqual([
      4, 5, 6, 7,
    ]);
  });

  it("puts replicas on nodes of their own when asked to", () => {
    const cluster = createCluster({ nodes: h100Nodes(3), teams });
    const apart = { required: "any" as const, apart: true };
    const decision = submitRequest(cluster, ask("model", { kind: "serving", gpus: 2, count: 3, topology: apart }), 0);
    expect(nodesOf(decision)).toEqual(["a", "b", "c"]);
    expect(submitRequest(cluster, ask("more", { kind: "serving", count: 4, topology: apart }), 0)).toMatchObject({
      code: "never-fits",
    });
  });
});
