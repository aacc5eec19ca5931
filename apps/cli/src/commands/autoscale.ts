import { AnnealError } from "@anneal/core/errors";
import type { AutoscaleReport, PolicySummary } from "@anneal/sizing/autoscale/autoscale-report";
import { comparePolicies } from "@anneal/sizing/autoscale/compare-policies";
import { readControllerSettings } from "@anneal/sizing/autoscale/controller-settings";
import { defaultLimits, defaultProfile, type ReplicaProfile } from "@anneal/sizing/autoscale/replica-profile";
import { readRequestTrace } from "@anneal/sizing/autoscale/request-trace";
import { SizingError } from "@anneal/sizing/sizing-error";
import { InvalidArgumentError, Option, type Command } from "commander";
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import type { Env } from "../env.ts";

type AutoscaleOptions = {
  trace: string;
  report: string;
  scale: number | "auto";
  ttftMs: number;
  tpotMs: number;
  target: number;
  coldStart: number;
  order: "late-last" | "arrival";
  replica?: string;
  seed: number;
};

const numberBetween = (least: number, most: number) => (text: string) => {
  const message = `It must be a number from ${least} to ${most}.`;
  const { data, error } = z.coerce.number(message).min(least, message).max(most, message).safeParse(text);
  if (error || text.trim() === "") throw new InvalidArgumentError(message);
  return data!;
};

const scaleOf = (text: string) => (text === "auto" ? text : numberBetween(0.001, 100_000)(text));

export function addAutoscaleCommand(program: Command, env: Env): void {
  program
    .command("autoscale")
    .description(
      "Replay a trace of requests: the autoscaler beside a fixed fleet, threshold controllers and the oracle.",
    )
    .requiredOption("--trace <file>", "CSV with the columns TIMESTAMP, ContextTokens, GeneratedTokens")
    .requiredOption("--report <file>", "write the report as JSON")
    .option("--scale <n>", "multiply the trace's rate; auto keeps 24 replicas busy at the peak", scaleOf, "auto")
    .option("--ttft-ms <ms>", "limit for the first token", numberBetween(1, 3_600_000), defaultLimits.ttftMs)
    .option("--tpot-ms <ms>", "limit for each further token", numberBetween(1, 60_000), defaultLimits.tpotMs)
    .option("--target <share>", "share of requests that must be within both", numberBetween(0.5, 0.9999), 0.99)
    .option("--cold-start <seconds>", "from a replica's order to its first request", numberBetween(1, 86_400), 300)
    .addOption(
      new Option("--order <order>", "whether the gateway puts requests last that are late already")
        .choices(["late-last", "arrival"])
        .default("late-last"),
    )
    .option("--replica <file>", `JSON of what one replica can do; without it ${defaultProfile.name}`)
    .option("--seed <n>", "of the copies that scaling makes", numberBetween(0, 2 ** 32 - 1), 1)
    .action((options: AutoscaleOptions) => autoscale(env, options));
}

async function autoscale(env: Env, options: AutoscaleOptions): Promise<void> {
  const pathOf = (file: string) => resolve(env["INIT_CWD"] ?? process.cwd(), file);
  const trace = explainBadInput(readRequestTrace, await readInput(pathOf(options.trace)));
  const profile = options.replica === undefined ? defaultProfile : await readProfile(pathOf(options.replica));
  const report = comparePolicies(trace, {
    profile,
    limits: { ttftMs: options.ttftMs, tpotMs: options.tpotMs },
    scale: options.scale,
    target: options.target,
    coldStartSeconds: options.coldStart,
    order: options.order,
    seed: options.seed,
    onProgress: (sentence) => console.log(sentence),
  });
  await writeFile(pathOf(options.report), `${JSON.stringify(report, null, 2)}\n`).catch((cause: unknown) => {
    throw new AnnealError("INVALID_INPUT", `The report cannot be written to ${pathOf(options.report)}.`, {
      action: "Choose a file in a folder that exists and that you may write to.",
      cause,
    });
  });
  console.log(`\n${formatReport(report)}`);
}

function formatReport({ policies, ratios, saved, settings }: AutoscaleReport): string {
  const row = (name: string, policy: PolicySummary | null) =>
    policy === null
      ? `${name.padEnd(34)} never reached it`
      : `${name.padEnd(34)} ${`${(policy.sloAttainment * 100).toFixed(2)} %`.padStart(9)} in time ` +
        `${policy.gpuHours.toFixed(1).padStart(9)} GPU-hours ${String(policy.starts).padStart(5)} starts`;
  const share = (value: number | null) => (value === null ? "unknown" : `${(value * 100).toFixed(1)} %`);
  const ratio = (value: number | null) => (value === null ? "unknown" : value.toFixed(3));
  return [
    row("Anneal", policies.anneal),
    row("fixed fleet", policies.fixed),
    row("threshold on vLLM's metrics", policies.threshold),
    row("threshold on load by tokens", policies.loadThreshold),
    row(`oracle at ${(Number(settings["target"]) * 100).toFixed(1)} %`, policies.oracle),
    row("oracle at Anneal's attainment", policies.oracleAtSameAttainment),
    `${ratio(ratios.toOracle)} times the oracle's GPU-hours, ${ratio(ratios.toOracleAtSameAttainment)} times at the same attainment; ` +
      `saved against thresholds: ${share(saved.againstThreshold)} (vLLM's metrics), ${share(saved.againstLoadThreshold)} (load).`,
  ].join("\n");
}

async function readInput(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new AnnealError("INVALID_INPUT", `The file ${path} cannot be read.`, {
      action: "Check the path, and that you may read it.",
      cause,
    });
  });
}

async function readProfile(path: string): Promise<ReplicaProfile> {
  const text = await readInput(path);
  return explainBadInput((json) => {
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch {
      throw new SizingError("INVALID_REQUEST", `The file ${path} is not JSON.`);
    }
    return readControllerSettings({ profile: value as ReplicaProfile }).profile;
  }, text);
}

function explainBadInput<Result>(read: (text: string) => Result, text: string): Result {
  try {
    return read(text);
  } catch (error) {
    if (!(error instanceof SizingError)) throw error;
    throw new AnnealError("INVALID_INPUT", error.message, {
      action:
        "Correct the file: the trace's format is that of the Azure LLM inference traces, the replica's that of its fields.",
      details: error.details,
      cause: error,
    });
  }
}
