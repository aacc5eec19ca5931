import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { installFakeNvidiaSmi } from "./fake-nvidia-smi.fixture.ts";
import { awaitGpuMemory, queryGpus } from "./query-gpus.ts";

const mib = 1024 ** 2;
const l4 = { uuid: "GPU-1", name: "NVIDIA L4", totalMib: 23_034, computeCap: "8.9" };
const sliced = {
  uuid: "GPU-2",
  name: "NVIDIA H100 80GB HBM3",
  totalMib: 81_559,
  slices: [
    { uuid: "MIG-a", profile: "3g.40gb" },
    { uuid: "MIG-b", profile: "1g.10gb+me" },
  ],
};

let abort: AbortController;
beforeEach(() => void (abort = new AbortController()));
afterEach(() => abort.abort());

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > deadline) expect.fail("The condition did not come true within 30 s.");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("queryGpus", () => {
  it("lists cards and slices of whatever nvidia-smi is on PATH, and none where there is none", async () => {
    const smi = await installFakeNvidiaSmi([{ ...l4, usedMib: 300 }, sliced]);
    expect(await queryGpus(smi.env())).toMatchObject([
      { id: "GPU-1", index: 0, memoryBytes: 23_034 * mib, usedBytes: 300 * mib, computeCapability: 8.9 },
      { id: "MIG-a", index: 1, migProfile: "3g.40gb", usedBytes: null, computeCapability: 9 },
      { id: "MIG-b", index: 1, migProfile: "1g.10gb+me" },
    ]);
    expect(await queryGpus({ PATH: "/nowhere" })).toEqual([]);
  });
});

describe("awaitGpuMemory", () => {
  it("goes on once what ran there has given its memory back, and not before", async () => {
    const smi = await installFakeNvidiaSmi([{ ...l4, usedMib: 20_000 }]);
    let isFree = false;
    const free = awaitGpuMemory({
      ids: ["GPU-1"],
      neededBytes: 8_000 * mib,
      timeoutMs: 60_000,
      env: smi.env(),
      signal: abort.signal,
    }).then(() => (isFree = true));
    await until(async () => (await smi.countQueries()) >= 2);
    expect(isFree).toBe(false);
    await smi.set([{ ...l4, usedMib: 15_000 }]);
    await free;
  });

  it("says what is free and what is needed when another program keeps it", async () => {
    const smi = await installFakeNvidiaSmi([l4, { ...l4, uuid: "GPU-2", usedMib: 20_000 }]);
    const ask = { ids: ["GPU-1", "GPU-2"], neededBytes: 8_000 * mib, timeoutMs: -1, env: smi.env() };
    await expect(awaitGpuMemory(ask)).rejects.toMatchObject({
      code: "ADMISSION_REFUSED",
      message: expect.stringMatching(/^GPU 1 \(NVIDIA-L4\) has 3\.0 GiB free of 22\.5 GiB, and 7\.8 GiB are needed/),
      retryable: true,
    });
    await expect(awaitGpuMemory({ ...ask, ids: ["GPU-1"] })).resolves.toBeUndefined();
  });

  it("takes a GPU that has fallen off the bus for gone, and no slice for full", async () => {
    const smi = await installFakeNvidiaSmi([sliced]);
    const ask = { neededBytes: 8_000 * mib, timeoutMs: -1, env: smi.env() };
    await expect(awaitGpuMemory({ ...ask, ids: ["GPU-1"] })).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    await expect(awaitGpuMemory({ ...ask, ids: ["MIG-a"] })).resolves.toBeUndefined();
  });
});
