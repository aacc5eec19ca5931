import { describe, expect, it } from "vitest";
import { createCluster } from "./create-cluster.ts";
import { placeAll } from "./place-all.ts";
import { createRandom } from "./random.ts";
import { ask, h100Nodes } from "./test-cluster.ts";

describe("placeAll", () => {
  const random = createRandom(3);
  const requests = Array.from({ length: 60 }, (_, i) => {
    const gpus = random.pick([1, 1, 1, 2, 4, 8]);
    return ask(`r${i}`, { gpus, gpuMilli: gpus === 1 ? random.pick([200, 470, 650, 810, 1000]) : 1000 });
  });
  const input = { nodes: h100Nodes(4), teams: [{ name: "red" }] };

  it("returns a placement that can be booked as it is", () => {
    const { placed, refused } = placeAll(input, requests, { rounds: 300 });
    const byId = new Map(requests.map((request) => [request.id, request]));
    const bookings = placed.map(({ id, placement }) => ({
      request: byId.get(id)!,
      placements: [placement],
      startedAtMs: 0,
    }));
    expect(createCluster({ ...input, bookings }).jobs.size).toBe(placed.length);
    expect(placed.length + refused.length).toBe(requests.length);
  });

  it("fills the nodes that it can fill", () => {
    // 60 requests ask for far more than 32 GPUs, and whole GPUs among them suffice to fill every node.
    expect(placeAll(input, requests, { rounds: 500 }).placedGpuMilli).toBe(32_000);
  });

  it("gives the same answer for the same seed", () => {
    const run = () => placeAll(input, requests, { seed: 5, rounds: 50 });
    expect(run()).toEqual(run());
  });

  it("takes single pods only", () => {
    expect(() => placeAll(input, [ask("gang", { count: 2 })])).toThrow("a gang of several pods");
  });
});
