import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { AnnealError } from "@anneal/core/errors";
import { type GpuDevice, gpuQueryFields, parseGpus } from "./parse-nvidia-smi.ts";

const run = promisify(execFile);
const pollMs = 500;

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The GPUs of this machine as nvidia-smi knows them; none where there is no nvidia-smi, or no GPU behind it.
 * @param env whose PATH nvidia-smi is looked for on
 */
export async function queryGpus(env: Variables = process.env): Promise<GpuDevice[]> {
  const ask = (args: string[]) =>
    run("nvidia-smi", args, { timeout: 20_000, env: env as NodeJS.ProcessEnv }).then(({ stdout }) => stdout);
  try {
    const query = await ask([`--query-gpu=${gpuQueryFields.join(",")}`, "--format=csv,noheader,nounits"]);
    return parseGpus(query, await ask(["-L"]));
  } catch {
    return [];
  }
}

/**
 * Waits until so much memory is free on each of these GPUs: what made room for a program may still be saving its state,
 * and CUDA has no queue. GPUs of which nobody tells what is used (MIG slices) are not waited for.
 * @param neededBytes on each of them
 * @throws AnnealError ADMISSION_REFUSED (retryable) when the time is over, ENGINE_UNAVAILABLE when a GPU is gone, and
 * whatever the signal was aborted with
 */
export async function awaitGpuMemory(options: {
  ids: readonly string[];
  neededBytes: number;
  timeoutMs: number;
  env?: Variables;
  signal?: AbortSignal | undefined;
}): Promise<void> {
  const { ids, neededBytes, timeoutMs, env, signal } = options;
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const devices = await queryGpus(env);
    const missing = ids.find((id) => !devices.some((device) => device.id === id));
    if (missing !== undefined) {
      throw new AnnealError("ENGINE_UNAVAILABLE", `The GPU ${missing} is not listed by nvidia-smi any more.`, {
        action: "Look at `nvidia-smi` and the kernel's log, then start the stack again: it looks for its GPUs anew.",
        retryable: true,
      });
    }
    const short = devices
      .filter(({ id }) => ids.includes(id))
      .find(({ memoryBytes, usedBytes }) => memoryBytes !== null && memoryBytes - (usedBytes ?? 0) < neededBytes);
    if (short === undefined) return;
    if (Date.now() > deadline) {
      const freeBytes = Math.max(0, (short.memoryBytes ?? 0) - (short.usedBytes ?? 0));
      throw new AnnealError(
        "ADMISSION_REFUSED",
        `GPU ${short.index} (${short.product}) has ${inGib(freeBytes)} free of ${inGib(short.memoryBytes ?? 0)}, and ${inGib(neededBytes)} are needed: a program that Anneal did not start holds the rest.`,
        {
          action: "End that program (`nvidia-smi` lists it), or leave the GPU to it with ANNEAL_GPUS.",
          details: { gpu: short.id, freeBytes, neededBytes },
          retryable: true,
        },
      );
    }
    await sleep(pollMs, undefined, signal ? { signal } : {});
  }
}

const inGib = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
