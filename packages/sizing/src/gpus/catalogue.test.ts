import { expect, it } from "vitest";
import { SizingError } from "../sizing-error.ts";
import { findGpu, gpuCatalogue } from "./catalogue.ts";

const ids = "L4 L40S A100-40GB A100-80GB RTX-PRO-6000 H100-80GB H200 B200 B300 GB200 GB300 MI300X MI325X MI355X".split(
  " ",
);

it("has the GPUs that people buy, each with a source and figures that agree with each other", () => {
  expect(gpuCatalogue.map((gpu) => gpu.id)).toEqual(ids);
  for (const gpu of gpuCatalogue) {
    expect(gpu.source, gpu.id).toBeTruthy();
    // Decoding reads memory, prefill computes: data sheets lie between 75 and 500 operations in 16 bits a byte.
    expect(gpu.flops.bf16 / gpu.bandwidth, gpu.id).toBeGreaterThan(75);
    expect(gpu.flops.bf16 / gpu.bandwidth, gpu.id).toBeLessThan(500);
    if (gpu.flops.fp8 !== null) expect(gpu.flops.fp8 / gpu.flops.bf16, gpu.id).toBeCloseTo(2, 1);
    for (const profile of gpu.migProfiles) {
      expect(profile.memoryGib * profile.perGpu, `${gpu.id} ${profile.name}`).toBeLessThanOrEqual(gpu.memoryGib * 1.03);
      expect(profile.computeShare * profile.perGpu).toBeLessThanOrEqual(1 + 1e-9);
    }
  }
});

it("finds a GPU by its id, however it is written", () => {
  for (const id of ids) expect(findGpu(id).id).toBe(id);
  expect(findGpu("h100_sxm").id).toBe("H100-80GB");
  expect(findGpu("H100-SXM-80GB").id).toBe("H100-80GB");
  expect(findGpu("NVIDIA L40S").id).toBe("L40S");
  expect(findGpu("mi300x").id).toBe("MI300X");
});

it("names the GPUs it knows when it does not know one, and does not choose between two sizes", () => {
  for (const id of ["A100", "", "V100", "H1", "constructor"]) {
    expect(() => findGpu(id)).toThrow(SizingError);
    expect(() => findGpu(id)).toThrow(/There is no GPU .* H100-80GB, H200, /);
  }
});

it("takes a GPU that somebody describes, and says which field is wrong", () => {
  const h200 = findGpu("H200");
  const own = { ...h200, id: "H200-NVL", memoryGib: 139.5, link: { ...h200.link, domain: 4 } };
  expect(findGpu(own)).toEqual({ ...own, name: h200.name });
  const { migProfiles: _profiles, source: _source, name: _name, ...bare } = own;
  expect(findGpu({ ...bare, flops: { bf16: 835e12 } })).toMatchObject({
    name: "H200-NVL",
    flops: { bf16: 835e12, fp8: null, int8: null, fp4: null },
    migProfiles: [],
  });
  const { bandwidth: _bandwidth, ...without } = bare;
  expect(() => findGpu(without)).toThrow(/gpu\.bandwidth is wrong/);
  expect(() => findGpu({ ...bare, bandwidth: 4.8 })).toThrow(/bandwidth is in bytes\/s/);
  expect(() => findGpu({ ...bare, memoryGib: -1 })).toThrow(/gpu\.memoryGib is wrong/);
  for (const gpu of [null, 3, [], {}]) expect(() => findGpu(gpu)).toThrow(SizingError);
});
