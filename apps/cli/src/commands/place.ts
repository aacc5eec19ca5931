import { AnnealError } from "@anneal/core/errors";
import type { PlacementReport } from "@anneal/sizing/placement/placement-report";
import { runFill } from "@anneal/sizing/placement/run-fill";
import { runReplay } from "@anneal/sizing/placement/run-replay";
import { parseTraceNodes, parseTracePods } from "@anneal/sizing/placement/trace";
import { SizingError } from "@anneal/sizing/sizing-error";
import { Option, type Command } from "commander";
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Env } from "../env.ts";

type PlaceOptions = { mode: "fill" | "replay"; nodes: string; pods: string; report: string; onLine?: boolean };

export function addPlaceCommand(program: Command, env: Env): void {
  program
    .command("place")
    .description("Place the pods of a trace on its nodes, and report what fitted, what did not and why.")
    .addOption(
      new Option("--mode <mode>", "fill: in file order, none leaves; replay: by their times")
        .choices(["fill", "replay"])
        .makeOptionMandatory(),
    )
    .requiredOption("--nodes <file>", "CSV: sn, cpu_milli, memory_mib, gpu, model")
    .requiredOption("--pods <file>", "CSV: name, cpu_milli, memory_mib, num_gpu, gpu_milli, gpu_spec, creation_time, …")
    .requiredOption("--report <file>", "write the report as JSON")
    .option("--on-line", "fill: place each pod knowing nothing of those after it, instead of the file as a whole")
    .action((options: PlaceOptions) => place(env, options));
}

async function place(env: Env, options: PlaceOptions): Promise<void> {
  const pathOf = (file: string) => resolve(env["INIT_CWD"] ?? process.cwd(), file);
  const [nodesCsv, podsCsv] = await Promise.all([readInput(pathOf(options.nodes)), readInput(pathOf(options.pods))]);
  const report = explainBadInput(() => {
    const nodes = parseTraceNodes(nodesCsv);
    const pods = parseTracePods(podsCsv);
    const clock = () => performance.now();
    if (options.mode === "replay") return runReplay(nodes, pods, { clock });
    return runFill(nodes, pods, { clock, batchRounds: options.onLine ? 0 : searchRounds(nodes.length) });
  });
  await writeFile(pathOf(options.report), `${JSON.stringify(report, null, 2)}\n`).catch((cause: unknown) => {
    throw new AnnealError("INVALID_INPUT", `The report cannot be written to ${pathOf(options.report)}.`, {
      action: "Choose a file in a folder that exists and that you may write to.",
      cause,
    });
  });
  console.log(summarise(report, options.mode));
}

/** Enough for small clusters to come close to the optimum, and for large ones to end within seconds. */
const searchRounds = (nodes: number) => Math.min(20_000, Math.max(3000, 8 * nodes));

function summarise(report: PlacementReport, mode: PlaceOptions["mode"]): string {
  const share = report.capacityGpus > 0 ? (100 * report.allocatedGpus) / report.capacityGpus : 0;
  const pods = `${report.placedPods} of ${report.pods} pods ran`;
  return mode === "fill"
    ? `Placed ${report.allocatedGpus} of ${report.demandGpus} GPUs asked for on ${report.capacityGpus} (${share.toFixed(1)}%); ${pods}.`
    : `${report.allocatedGpus} of ${report.capacityGpus} GPUs were in use on average; ${pods}, after ${report.waitSeconds.mean} s on average.`;
}

async function readInput(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new AnnealError("INVALID_INPUT", `The file ${path} cannot be read.`, {
      action: "Check the path, and that you may read it.",
      cause,
    });
  });
}

function explainBadInput<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof SizingError)) throw error;
    throw new AnnealError("INVALID_INPUT", error.message, {
      action: "Correct the file: the formats are those of Alibaba's cluster-trace-gpu-v2023.",
      details: error.details,
      cause: error,
    });
  }
}
