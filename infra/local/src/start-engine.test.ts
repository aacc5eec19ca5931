import { join } from "node:path";
import { choosePort } from "@anneal/processes/choose-port";
import { installFakeNvidiaSmi } from "@anneal/processes/fake-nvidia-smi.fixture";
import { createTestFolders } from "@anneal/processes/test-folders.fixture";
import { describe, expect, it } from "vitest";
import { type FakeVllm, installFakeVllm } from "./fake-vllm.fixture.ts";
import { locatePython } from "./python-env.ts";
import { type EngineOptions, startEngine } from "./start-engine.ts";

const gib = 2 ** 30;
const makeDir = createTestFolders("engine");
const l4 = (uuid: string, usedMib = 0) => ({ uuid, name: "NVIDIA L4", totalMib: 23_034, usedMib, computeCap: "8.9" });

async function optionsOf({ python }: FakeVllm, env: NodeJS.ProcessEnv): Promise<EngineOptions> {
  return {
    python: locatePython({ ...env, ANNEAL_PYTHON: python }),
    model: "/models/base",
    servedName: "base",
    port: await choosePort(undefined),
    maxLoras: 4,
    maxLoraRank: 16,
    kvCacheGiB: 1,
    maxContextTokens: 2048,
    logFile: join(await makeDir(), "engine.log"),
    env,
  };
}

/** Starts, looks at what was started, and ends it. */
async function startAndLook(vllm: FakeVllm, options: EngineOptions) {
  const engine = await startEngine(options);
  await engine.stop();
  return (await vllm.starts()).at(-1)!;
}

describe("startEngine", () => {
  it("shows an engine the GPUs that it was given, and lets it take its share of them", async () => {
    const smi = await installFakeNvidiaSmi([l4("GPU-a"), l4("GPU-b")]);
    const vllm = await installFakeVllm();
    const options = await optionsOf(vllm, smi.env());
    const one = { ids: ["GPU-b"], memoryUtilization: 0.314, neededBytes: 7 * gib };
    const { args, devices } = await startAndLook(vllm, { ...options, gpus: one });
    expect(devices).toBe("GPU-b");
    expect(args).toEqual(
      expect.arrayContaining(["--model=/models/base", "--gpu-memory-utilization=0.314", "--tensor-parallel-size=1"]),
    );
    expect(args.join(" ")).not.toMatch(/--enforce-eager|--kv-cache-memory-bytes/);

    const both = { ids: ["GPU-a", "GPU-b"], memoryUtilization: 0.9, neededBytes: 20 * gib };
    const spread = await startAndLook(vllm, { ...options, gpus: both });
    expect(spread.devices).toBe("GPU-a,GPU-b");
    expect(spread.args).toEqual(expect.arrayContaining(["--gpu-memory-utilization=0.9", "--tensor-parallel-size=2"]));
  });

  it("starts nothing while another program has the memory of its GPU", async () => {
    const smi = await installFakeNvidiaSmi([l4("GPU-a", 20_000)]);
    const vllm = await installFakeVllm();
    const abort = new AbortController();
    const gpus = { ids: ["GPU-a"], memoryUtilization: 0.5, neededBytes: 11 * gib };
    const options = { ...(await optionsOf(vllm, smi.env())), gpus };
    const stopped = startEngine({ ...options, signal: abort.signal });
    const settled = stopped.catch(() => undefined);
    while ((await smi.countQueries()) < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await vllm.starts()).toEqual([]);
    abort.abort();
    await expect(stopped).rejects.toThrow();
    await settled;

    const starting = startAndLook(vllm, options);
    await smi.set([l4("GPU-a", 9_000)]);
    expect((await starting).devices).toBe("GPU-a");
  });

  it("tells an engine on the CPU nothing of GPUs", async () => {
    const vllm = await installFakeVllm();
    const { CUDA_VISIBLE_DEVICES: _, ...env } = process.env;
    const { args, devices } = await startAndLook(vllm, await optionsOf(vllm, { ...env, PATH: "/usr/bin:/bin" }));
    expect(devices).toBeNull();
    expect(args).toEqual(expect.arrayContaining(["--enforce-eager", `--kv-cache-memory-bytes=${gib}`]));
    expect(args.join(" ")).not.toMatch(/gpu-memory|tensor-parallel/);
  });

  it("takes the CPU build where ANNEAL_GPUS is none, whatever the machine has", async () => {
    const smi = await installFakeNvidiaSmi([l4("GPU-a")]);
    expect(locatePython({ ...smi.env(), ANNEAL_PYTHON: "/opt/x/bin/python" }).accelerator).toBe("cuda");
    const none = { ...smi.env(), ANNEAL_PYTHON: "/opt/x/bin/python", ANNEAL_GPUS: "none" };
    expect(locatePython(none).accelerator).toBe("cpu");
  });
});
