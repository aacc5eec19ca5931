import type { PoolNode } from "@anneal/db/schema";
import { describe, expect, it } from "vitest";
import { countPlaceable } from "./count-placeable.ts";

const node = (change: Partial<PoolNode>): PoolNode => ({
  name: "here",
  gpuModel: null,
  gpus: 0,
  gpuMemoryGib: 0,
  nvlinkDomain: null,
  railGroup: null,
  numaNodes: 1,
  migProfiles: [],
  cpuMilli: 8000,
  memoryMib: 10_240,
  labels: {},
  costPerHour: 0,
  cordoned: false,
  lost: false,
  ...change,
});
const booked = (gpus: number, gpuMilli: number, on: { index: number; milli: number }[], memoryMib = 2048) => ({
  request: {
    id: "replica:engine-1",
    team: "default",
    kind: "serving" as const,
    priority: 100,
    gang: [{ count: 1, gpus, gpuMilli, cpuMilli: 0, memoryMib }],
  },
  members: [{ member: 0, node: "here", gpus: on }],
});

describe("countPlaceable", () => {
  it("counts by main memory where an engine takes nothing else", () => {
    const engine = booked(0, 1000, []);
    expect(countPlaceable([node({})], [engine], engine)).toBe(4);
    expect(countPlaceable([node({ cordoned: true }), node({ name: "lost", lost: true })], [engine], engine)).toBe(0);
  });

  it("counts shares of each GPU, however much main memory is left", () => {
    const engine = booked(1, 300, [{ index: 0, milli: 300 }], 512);
    const training = booked(1, 500, [{ index: 1, milli: 500 }], 512);
    // 700 of the first GPU hold two more, 500 of the second one.
    expect(countPlaceable([node({ gpus: 2 })], [engine, training], engine)).toBe(3);
    expect(countPlaceable([node({ gpus: 2, memoryMib: 1536 })], [engine, training], engine)).toBe(1);
  });

  it("counts whole GPUs for an engine that is spread over several", () => {
    const engine = booked(
      2,
      1000,
      [
        { index: 0, milli: 1000 },
        { index: 1, milli: 1000 },
      ],
      512,
    );
    const training = booked(1, 100, [{ index: 2, milli: 100 }], 512);
    expect(countPlaceable([node({ gpus: 6 })], [engine, training], engine)).toBe(1);
  });

  it("promises nothing before an engine runs", () => {
    expect(countPlaceable([node({})], [], undefined)).toBe(0);
  });
});
