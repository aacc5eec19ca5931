import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SizingError } from "../sizing-error.ts";
import { createCluster, toSnapshot } from "./create-cluster.ts";
import { decide } from "./decide.ts";
import { finishWork, submitRequest } from "./schedule.ts";
import { ask, h100Nodes } from "./test-cluster.ts";

const twoNodes = () => createCluster({ nodes: h100Nodes(2), teams: [{ name: "red" }, { name: "blue" }] });

describe("decide", () => {
  it("leaves the cluster as it was, and gives the same answer twice", () => {
    const cluster = twoNodes();
    submitRequest(cluster, ask("first", { gpus: 3 }), 1000);
    const before = JSON.stringify(toSnapshot(cluster));
    const request = ask("second", { gpus: 4, count: 3 });
    const decision = decide(cluster, request, 2000);
    expect(decide(cluster, request, 2000)).toEqual(decision);
    expect(JSON.stringify(toSnapshot(cluster))).toBe(before);
  });

  it("decides the same after the cluster was written down and read back", () => {
    const cluster = twoNodes();
    for (let i = 0; i < 12; i++) submitRequest(cluster, ask(`r${i}`, { gpuMilli: 320 + 10 * i, kind: "batch" }), i);
    const again = createCluster(JSON.parse(JSON.stringify(toSnapshot(cluster))));
    for (const request of [ask("x", { gpuMilli: 500 }), ask("y", { gpus: 2 }), ask("z", { gpus: 8, count: 2 })]) {
      expect(decide(again, request, 100)).toEqual(decide(cluster, request, 100));
    }
  });

  it("puts a share beside a share rather than on a fresh GPU", () => {
    const cluster = twoNodes();
    const first = submitRequest(cluster, ask("first", { gpuMilli: 400 }), 0);
    const second = submitRequest(cluster, ask("second", { gpuMilli: 400 }), 0);
    const gpuOf = (decision: typeof first) =>
      decision.status === "admitted"
        ? `${decision.placements[0]?.node}/${decision.placements[0]?.gpus[0]?.index}`
        : "none";
    expect(gpuOf(second)).toBe(gpuOf(first));
  });

  it("sends work with few processors to the node that has few of them", () => {
    const poor = { name: "poor", gpuModel: "P100", gpus: 8, cpuMilli: 16_000, memoryMib: 131_072 };
    const rich = { name: "rich", gpuModel: "P100", gpus: 8, cpuMilli: 128_000, memoryMib: 131_072 };
    const cluster = createCluster({ nodes: [rich, poor], teams: [{ name: "red" }] });
    const pod = (id: string, cpuMilli: number) =>
      submitRequest(
        cluster,
        { ...ask(id), gang: [{ count: 1, gpus: 1, gpuMilli: 1000, cpuMilli, memoryMib: 1024 }] },
        0,
      );
    // What is usually asked for is learned from what was asked for before.
    for (let i = 0; i < 64; i++)
      for (const id of [`h${i}`, `l${i}`]) {
        pod(id, id.startsWith("h") ? 15_000 : 1000);
        finishWork(cluster, id, 0);
      }
    for (let i = 0; i < 8; i++) {
      pod(`heavy${i}`, 15_000);
      pod(`light${i}`, 1000);
    }
    expect(cluster.waiting.size).toBe(0);
  });

  it("refuses what never fits, and counts why not on each node", () => {
    const decision = decide(twoNodes(), ask("big", { gpus: 16 }), 0);
    expect(decision).toMatchObject({ status: "refused", code: "never-fits" });
    expect(decision.reason).toContain("16 GPUs");
    expect(decision.reason).toContain("2 nodes with too few GPUs");
  });

  it("lets wait what fits later, and says what is missing where", () => {
    const cluster = twoNodes();
    submitRequest(cluster, ask("one", { gpus: 6 }), 0);
    submitRequest(cluster, ask("two", { gpus: 5 }), 0);
    const decision = decide(cluster, ask("three", { gpus: 4 }), 0);
    expect(decision).toMatchObject({
      status: "queued",
      code: "no-room",
      explanation: { nodes: [{ reason: "gpus-taken", count: 2 }], nearest: { lacks: { gpus: 1 }, runs: ["two"] } },
    });
    expect(decision.status === "queued" && decision.action).toMatch(/1 GPU more on [ab], where two runs/);
  });

  it("tells nodes apart by model, cordon and labels", () => {
    const nodes = [
      ...h100Nodes(3),
      { name: "l4", gpuModel: "L4", gpus: 8, gpuMemoryGib: 22, cpuMilli: 64_000, memoryMib: 262_144 },
      ...h100Nodes(1, { name: "closed", cordoned: true }),
    ];
    const cluster = createCluster({ nodes, teams: [{ name: "red" }] });
    const [member] = ask("").gang;
    const decision = decide(
      cluster,
      { ...ask("x"), gang: [{ ...member!, gpuModels: ["H100"], labels: { zone: "1" } }] },
      0,
    );
    expect(decision).toMatchObject({
      status: "refused",
      explanation: {
        nodes: [
          { reason: "label", count: 4 },
          { reason: "gpu-model", count: 1 },
        ],
      },
    });
  });

  it("places all of a gang or nothing of it", () => {
    const cluster = twoNodes();
    submitRequest(cluster, ask("one", { gpus: 4 }), 0);
    const decision = submitRequest(cluster, ask("gang", { gpus: 8, count: 2 }), 0);
    expect(decision.status).toBe("queued");
    expect(cluster.jobs.size).toBe(1);
    expect(cluster.packing.freeCpuMilli.reduce((sum, free) => sum + free)).toBe(252_000);
  });

  it("admits by memory alone where a machine has no GPUs", () => {
    const cluster = createCluster({
      nodes: [{ name: "this machine", cpuMilli: 2000, memoryMib: 16_384 }],
      teams: [{ name: "red" }],
    });
    const job = (id: string, memoryMib: number) => ({
      ...ask(id),
      gang: [{ count: 1, gpus: 0, gpuMilli: 1000, cpuMilli: 0, memoryMib }],
    });
    expect(submitRequest(cluster, job("a", 12_000), 0)).toMatchObject({
      status: "admitted",
      placements: [{ node: "this machine", gpus: [] }],
    });
    const second = submitRequest(cluster, job("b", 6000), 0);
    expect(second).toMatchObject({ status: "queued", explanation: { nearest: { lacks: { memoryMib: 1616 } } } });
    expect(submitRequest(cluster, job("c", 20_000), 0)).toMatchObject({ status: "refused", code: "never-fits" });
  });

  it("serves MIG instances beside whole GPUs and never both on one", () => {
    const migProfiles = [{ name: "3g.40gb", memoryGib: 40, computeShare: 3 / 7, perGpu: 2 }];
    const cluster = createCluster({
      nodes: h100Nodes(1, { gpus: 2, gpuMemoryGib: 80, migProfiles }),
      teams: [{ name: "red" }],
    });
    const mig = (id: string) => ({
      ...ask(id),
      gang: [{ count: 1, gpus: 1, gpuMilli: 1000, migProfile: "3g.40gb", cpuMilli: 1000, memoryMib: 1024 }],
    });
    expect(submitRequest(cluster, mig("m1"), 0).status).toBe("admitted");
    expect(submitRequest(cluster, mig("m2"), 0).status).toBe("admitted");
    expect(submitRequest(cluster, ask("whole"), 0).status).toBe("admitted");
    expect(submitRequest(cluster, mig("m3"), 0)).toMatchObject({ status: "queued", code: "no-room" });
  });

  it("checks the memory of a GPU, or of the share of it", () => {
    const cluster = twoNodes();
    const [member] = ask("").gang;
    expect(decide(cluster, { ...ask("a"), gang: [{ ...member!, gpuMemoryGib: 70 }] }, 0).status).toBe("admitted");
    expect(decide(cluster, { ...ask("b"), gang: [{ ...member!, gpuMilli: 500, gpuMemoryGib: 70 }] }, 0)).toMatchObject({
      code: "never-fits",
      explanation: { nodes: [{ reason: "gpu-memory", count: 2 }] },
    });
  });

  it.each([
    ["a negative number of GPUs", { ...ask("x"), gang: [{ ...ask("x").gang[0]!, gpus: -1 }] }, "gang.0.gpus"],
    ["NaN memory", { ...ask("x"), gang: [{ ...ask("x").gang[0]!, memoryMib: Number.NaN }] }, "gang.0.memoryMib"],
    ["a share of several GPUs", ask("x", { gpus: 2, gpuMilli: 500 }), "gang.0.gpuMilli"],
    ["an empty gang", { ...ask("x"), gang: [] }, "gang"],
    ["an unknown team", ask("x", { team: "green" }), "green"],
  ])("rejects %s and names it", (_, request, named) => {
    expect(() => decide(twoNodes(), request, 0)).toThrow(SizingError);
    expect(() => decide(twoNodes(), request, 0)).toThrow(named);
  });

  it.each([Number.NaN, -1, Infinity])("rejects the time %s", (nowMs) => {
    expect(() => decide(twoNodes(), ask("x"), nowMs)).toThrow("is not a time");
  });

  it("answers anything at all with a decision or a SizingError", () => {
    const cluster = twoNodes();
    fc.assert(
      fc.property(fc.anything(), fc.double(), (input, nowMs) => {
        try {
          return ["admitted", "queued", "refused"].includes(decide(cluster, input as never, nowMs).status);
        } catch (error) {
          return error instanceof SizingError;
        }
      }),
    );
  });
});
