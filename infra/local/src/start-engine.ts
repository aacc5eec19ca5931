import { awaitGpuMemory } from "@anneal/processes/query-gpus";
import { answersHttp, awaitReady } from "./await-ready.ts";
import { classifyEngineLog } from "./classify-engine-log.ts";
import type { LaunchOptions, Service } from "./progress.ts";
import type { PythonEnvironment } from "./python-env.ts";
import { supervise } from "./supervise.ts";

/** The part of this machine's GPUs that an engine was given. */
export type EngineGpus = {
  /** What CUDA_VISIBLE_DEVICES takes; the model is cut over all of them. */
  ids: readonly string[];
  /** vLLM's --gpu-memory-utilization: its share of each, without the CUDA context, which it does not count. */
  memoryUtilization: number;
  /** Of each; vLLM refuses to start with less free. */
  neededBytes: number;
};

export type EngineOptions = LaunchOptions & {
  python: PythonEnvironment;
  /** The base model's folder. */
  model: string;
  /** What requests call the base model. */
  servedName: string;
  port: number;
  /** Adapters that one batch may mix. */
  maxLoras: number;
  /** An adapter of a higher rank is refused by the engine. */
  maxLoraRank: number;
  /** Memory for keys and values; on the CPU it is taken from main memory at once. */
  kvCacheGiB: number;
  /**
   * CPU cores that a forward pass is bound to, the first ones of the machine. Left out, vLLM takes all but one, which on
   * a busy machine is faster than all: a pass waits for its slowest thread.
   */
  threads?: number;
  maxContextTokens: number;
  /** Absent on a CPU; on a machine with GPUs it then takes nine tenths of the first that CUDA shows, as vLLM does. */
  gpus?: EngineGpus;
};

/** How long what has to make room on a GPU may take to save its state and end. */
const gpuMemoryWaitMs = 120_000;

/**
 * Tokens of one pass on a CPU. Nothing gets in between a pass: with vLLM's own 2,048 whoever comes, the loading of an adapter
 * too, waits for seconds behind the prompts of others, and the adapters' kernels are half as fast. Measured on two cores,
 * 2,048 beside 64: a prompt of 1,631 tokens 20.4 s and 9.9 s with an adapter, 3.4 s and 3.8 s without; 142 and 135 tokens/s
 * with 16 in flight.
 */
const cpuStepTokens = 64;

/**
 * vLLM with runtime loading of adapters. It listens on loopback only: whoever reaches its adapter endpoints can make it
 * read any folder. `url` is its base address without /v1.
 */
export async function startEngine(options: EngineOptions): Promise<Service> {
  const { python, port, gpus } = options;
  const cpu = python.accelerator === "cpu";
  if (gpus) await awaitGpuMemory({ ...gpus, timeoutMs: gpuMemoryWaitMs, env: options.env, signal: options.signal });
  const child = supervise({
    command: python.python,
    args: [
      // Not the `vllm` program: it looks for a distribution of that name, and the CPU build has another.
      "-m",
      "vllm.entrypoints.openai.api_server",
      "--host=127.0.0.1",
      `--port=${port}`,
      `--model=${options.model}`,
      `--served-model-name=${options.servedName}`,
      "--dtype=bfloat16",
      `--max-model-len=${options.maxContextTokens}`,
      "--enable-lora",
      `--max-loras=${options.maxLoras}`,
      `--max-lora-rank=${options.maxLoraRank}`,
      "--disable-uvicorn-access-log",
      // The gateway says which requests go last: see packages/sizing/src/autoscale/request-priority.ts.
      "--scheduling-policy=priority",
      ...(cpu
        ? [
            // Compiling would take longer than the small default model ever wins back.
            "--enforce-eager",
            `--kv-cache-memory-bytes=${Math.round(options.kvCacheGiB * 1024 ** 3)}`,
            `--max-num-batched-tokens=${cpuStepTokens}`,
            `--max-num-seqs=${cpuStepTokens}`,
          ]
        : []),
      ...(gpus
        ? [`--gpu-memory-utilization=${gpus.memoryUtilization}`, `--tensor-parallel-size=${gpus.ids.length}`]
        : []),
    ],
    env: {
      ...options.env,
      ...python.variables,
      VLLM_ALLOW_RUNTIME_LORA_UPDATING: "True",
      // A model in a folder needs nothing from the network; waiting for it would only slow the start down.
      HF_HUB_OFFLINE: "1",
      ...(gpus ? { CUDA_VISIBLE_DEVICES: gpus.ids.join(",") } : {}),
      ...(options.threads === undefined ? {} : { VLLM_CPU_OMP_THREADS_BIND: `0-${options.threads - 1}` }),
    },
    logFile: options.logFile,
    graceSeconds: 15,
    // On a CPU it computes on the cores that the portal, the worker and the databases need for moments.
    ...(cpu ? { niceness: 5 } : {}),
    onSpawn: options.onSpawn,
  });
  const url = `http://127.0.0.1:${port}`;
  await awaitReady({
    title: "The inference engine",
    child,
    probe: answersHttp(`${url}/health`),
    timeoutMs: 600_000,
    classify: classifyEngineLog,
    signal: options.signal,
  });
  return {
    name: "engine",
    url,
    get pid() {
      return child.pid;
    },
    stop: () => child.stop(),
  };
}
