// `npm run bench`: prints each figure beside its peer, measured in the same run. `npm run bench -- dedupe` runs one.
import process from "node:process";
import { locateEnvironment } from "../infra/local/src/environment.mjs";
import { ensureModels, ensureNode, ensurePython, runScript } from "./bootstrap.mjs";
import { runCommand } from "./run-command.mjs";

/** Each program prints one JSON object as its last line; `show` says what it means and what is wanted. */
const benches = [
  {
    name: "dedupe",
    title: "near-duplicate removal against datasketch MinHashLSH, 20,000 documents",
    command: ["node", "bench/dedupe.ts"],
    wanted: "ratio >= 1, missed = 0",
  },
  {
    name: "training",
    title: "training tokens/s against a bare PEFT loop",
    command: ["python", "bench/training.py"],
    wanted: "ratio >= 0.95",
  },
  {
    name: "gateway",
    title: "a plain model call through the platform against vLLM directly",
    command: ["node", "bench/gateway.ts"],
    wanted: "p50 overhead <= 10 ms to the first token, throughput ratio >= 0.95 at 16 in flight",
  },
  {
    name: "swap",
    title: "20 hot swaps under 1,000 requests",
    command: ["node", "bench/swap.ts"],
    wanted: "0 failed requests; a swap <= 1 s plus the engine's own load (the probe counts)",
  },
  {
    name: "sizing-memory",
    title: "KV cache of vLLM on an H100, estimated from config.json alone",
    command: ["node", "bench/sizing-memory.ts"],
    wanted: "mean error <= 1.5%, worst <= 4%; tokens within 0.1% when the bytes are given",
  },
  {
    name: "sizing-training",
    title: "peak memory of fine-tuning on an A100, estimated from the settings",
    command: ["node", "bench/sizing-training.ts"],
    wanted: "mean absolute error <= 10% on a model that the constants were not fitted on",
  },
  {
    name: "sizing-speed",
    title: "TTFT and TPOT of serving, estimated from config.json and data sheets",
    command: ["node", "bench/sizing-speed.ts"],
    wanted: "median absolute error of models left out: TPOT <= 12%, TTFT <= 18%",
  },
  {
    name: "placement",
    title: "GPU demand placed on a real cluster's trace, against best-fit, first-fit, dot-product and the optimum",
    command: ["node", "bench/placement.ts"],
    wanted: "more than each on every variant; >= 98% of the optimum; >= 2,000 decisions/s, p99 <= 20 ms; 0 violations",
  },
  {
    name: "autoscale",
    title: "replay of a day's requests with cold starts, against a fixed fleet, a threshold controller and the oracle",
    command: ["node", "bench/autoscale.ts"],
    wanted: ">= 99% within limits at <= 1.15x the oracle's GPU-hours, >= 20% fewer than thresholds",
  },
  {
    name: "connectors",
    title: "documents listed/s and synced/s by kind of source, each server in a process of its own",
    command: ["node", "bench/connectors.ts"],
    wanted: "file and s3 >= 500 small documents/s synced; no connector's process above 300 MiB; nothing unmet",
  },
  {
    name: "sync",
    title: "documents synced/s and listed/s by a running platform, its database and object store included",
    command: ["node", "bench/sync.ts"],
    wanted: "file and s3 >= 500 small documents/s synced",
  },
  {
    name: "parsing",
    title: "documents and pages/s through the pool of parsers, and the share of the text that is recovered",
    command: ["node", "bench/parsing.ts"],
    wanted: "inOrder >= 0.99 in every format, >= 0.95 where it is recognised from pictures, no failures",
  },
  {
    name: "extraction",
    title: "main content of made-up web pages against trafilatura on the same pages",
    command: ["node", "bench/extraction.ts"],
    wanted: "platform's f1 >= trafilatura's, on all pages and on the layouts held out",
  },
  {
    name: "revocation",
    title: "from a revocation at the source to invisible in search, and from a grant to found, on a running stack",
    command: ["node", "bench/revocation.ts"],
    wanted: "p95 <= 60,000 ms",
  },
  {
    name: "permissions",
    title:
      "leaks of the search over pairs of a person and a document, against an oracle that reads the access lists alone",
    command: ["node", "bench/permissions.ts"],
    wanted: ">= 100,000 pairs; 0 leaks, 0 wrongly hidden",
  },
  {
    name: "stack",
    title: "the whole stack on this machine",
    command: ["node", "bench/stack.ts"],
    wanted: "second start <= 60 s, < 8 GiB resident, < 0.1 core when idle",
  },
];

await runScript(async () => {
  await ensureNode();
  const { python } = await ensurePython();
  await ensureModels();
  process.env.ANNEAL_PYTHON = python;
  process.env.ANNEAL_BENCH_MODEL = process.env.ANNEAL_BASE_MODEL || locateEnvironment(process.env).modelDir;
  const wanted = process.argv.slice(2);
  const unknown = wanted.find((name) => !benches.some((bench) => bench.name === name));
  if (unknown !== undefined) {
    console.error(`There is no benchmark ${unknown}. There are: ${benches.map(({ name }) => name).join(", ")}.`);
    return 1;
  }
  let failed = 0;
  for (const bench of benches) {
    if (wanted.length > 0 && !wanted.includes(bench.name)) continue;
    console.log(`\n── ${bench.name}: ${bench.title} (wanted: ${bench.wanted}) ──`);
    const [program, ...args] = bench.command;
    const { code, output, seconds } = await runCommand(program === "python" ? python : program, args, {
      quiet: true,
      // What is done by now: some take an hour.
      showErrors: true,
    });
    const figures = output.trim().split("\n").at(-1) ?? "";
    try {
      for (const [name, value] of Object.entries(JSON.parse(figures))) {
        console.log(`  ${name.padEnd(32)} ${typeof value === "object" ? JSON.stringify(value) : value}`);
      }
    } catch {
      console.log(output.trimEnd());
    }
    if (code !== 0) failed += 1;
    console.log(`  ${code === 0 ? "done" : `failed with exit code ${code}`} after ${seconds.toFixed(0)} s`);
  }
  return failed === 0 ? 0 : 1;
});
