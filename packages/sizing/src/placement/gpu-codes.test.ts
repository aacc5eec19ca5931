import { describe, expect, it } from "vitest";
import {
  chooseMigSlice,
  countMigInstances,
  describeMigProfile,
  freeGpu,
  isMigSliceFree,
  returnMigSlice,
  takeMigSlice,
} from "./gpu-codes.ts";

describe("MIG slices", () => {
  // NVIDIA MIG user guide, "Supported MIG Profiles", H100 80GB: profile, memory, instances on one GPU, slices of memory.
  it.each([
    ["1g.10gb", 10, 7, 1],
    ["1g.20gb", 20, 4, 2],
    ["2g.20gb", 20, 3, 2],
    ["3g.40gb", 40, 2, 4],
    ["4g.40gb", 40, 1, 4],
    ["7g.80gb", 80, 1, 8],
  ])("lays out %s as NVIDIA does on an H100", (_, memoryGib, perGpu, size) => {
    const shape = describeMigProfile({ memoryGib, perGpu }, 80);
    expect(shape).toEqual({ size, count: perGpu });
    expect(countMigInstances(freeGpu, shape)).toBe(perGpu);
  });

  it("makes a GPU whole again when its last instance goes", () => {
    const shape = { size: 2, count: 3 };
    const one = takeMigSlice(freeGpu, 2, shape.size);
    expect(isMigSliceFree(one, 2, 2)).toBe(false);
    expect(countMigInstances(one, shape)).toBe(2);
    expect(returnMigSlice(one, 2, shape.size)).toBe(freeGpu);
  });

  it("offers nothing of a GPU that is shared in thousandths", () => {
    expect(countMigInstances(530, { size: 1, count: 7 })).toBe(0);
    expect(chooseMigSlice([530, 0], 0, 2, { size: 1, count: 7 })).toBeNull();
  });

  it("fills the fullest GPU, and its fuller half, first", () => {
    const begun = takeMigSlice(freeGpu, 4, 1);
    expect(chooseMigSlice([freeGpu, begun], 0, 2, { size: 1, count: 7 })).toEqual({ at: 1, start: 5 });
    // A 3g instance still fits beside it.
    expect(chooseMigSlice([begun], 0, 1, { size: 4, count: 2 })).toEqual({ at: 0, start: 0 });
  });
});
