import { AnnealError } from "@anneal/core/errors";
import { answerSizingRequest } from "@anneal/sizing/answer";
import { makePlans } from "@anneal/sizing/plan/plan";
import { SizingError } from "@anneal/sizing/sizing-error";
import { type Command, InvalidArgumentError, Option } from "commander";
import { once } from "node:events";
import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { z } from "zod";
import type { Env } from "../env.ts";
import { formatPlans } from "./format-plans.ts";

type SizeOptions = {
  json?: boolean;
  brief?: string;
  model?: string;
  gpu: string[];
  profile?: string;
  users?: number;
  staff?: number;
  requestsInFlight?: number;
  documentsPerHour?: number;
  context?: number;
  precision: string[];
  onPremises?: boolean;
  trial?: boolean;
  budget?: number;
};

const collect = (value: string, all: string[]) => [...all, value];

function number(text: string): number {
  const { data, error } = z.coerce.number("It must be a number.").safeParse(text.trim() === "" ? "none" : text);
  if (error) throw new InvalidArgumentError(error.issues[0]?.message ?? "");
  return data;
}

export function addSizeCommand(program: Command, env: Env): void {
  program
    .command("size")
    .description("Which GPUs a model needs for a load: plans side by side, and why the others were left out.")
    .option("--json", "read one JSON request a line on standard input, write one JSON answer a line")
    .option("--brief <file>", "the whole brief as JSON; the options below add to it")
    .option("--model <path>", "a config.json, or the folder of a model")
    .option("--gpu <id>", "a GPU to choose from, as H100-80GB; can be repeated, all without it", collect, [])
    .addOption(
      new Option("--profile <name>", "what it is used for").choices([
        "chat",
        "report",
        "voice",
        "agents",
        "api",
        "batch",
        "embeddings",
      ]),
    )
    .option("--users <n>", "users at work with it in the worst minute", number)
    .option("--staff <n>", "people who have access", number)
    .option("--requests-in-flight <n>", "requests answered at the same time, where that is known", number)
    .option("--documents-per-hour <n>", "documents an hour, for batch work", number)
    .option("--context <tokens>", "longest request with its answer", number)
    .option("--precision <format>", "bf16, fp8, int8, int4, nvfp4 or mxfp4; can be repeated", collect, [])
    .option("--on-premises", "buy, do not rent")
    .option("--trial", "one node is enough: nobody relies on it yet")
    .option("--budget <dollars>", "a month", number)
    .action((options: SizeOptions) => size(env, options));
}

async function size(env: Env, options: SizeOptions): Promise<void> {
  if (options.json) {
    const others = Object.entries(options).filter(
      ([key, value]) => key !== "json" && !(Array.isArray(value) && value.length === 0),
    );
    if (others.length > 0) {
      throw new AnnealError(
        "INVALID_INPUT",
        "With --json the requests come from standard input, and other options were given too.",
        {
          action: "Leave the other options out, or put them into the requests.",
        },
      );
    }
    return answerLines(process.stdin, process.stdout);
  }
  const brief = await readBriefOf(env, options);
  try {
    process.stdout.write(formatPlans(makePlans(brief), process.stdout.columns ?? 120));
  } catch (error) {
    if (!(error instanceof SizingError)) throw error;
    throw new AnnealError("INVALID_INPUT", error.message, {
      action: "Change what the sentence names and run it again; --help lists the options.",
    });
  }
}

/** A line is answered as soon as it is there; one that cannot be read is answered too, and the next one comes. */
export async function answerLines(input: Readable, output: Writable): Promise<void> {
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    if (line.trim() === "") continue;
    if (!output.write(`${JSON.stringify(answerLine(line))}\n`)) await once(output, "drain");
  }
}

function answerLine(line: string): unknown {
  try {
    return answerSizingRequest(JSON.parse(line));
  } catch (error) {
    const message = `The line is not JSON: ${error instanceof Error ? error.message : String(error)}.`;
    return { error: { code: "INVALID_REQUEST", message, details: { line: line.slice(0, 200) } } };
  }
}

async function readBriefOf(env: Env, options: SizeOptions): Promise<Record<string, unknown>> {
  const { brief, model, gpu, precision, users, staff, requestsInFlight, documentsPerHour, budget } = options;
  const base = brief === undefined ? {} : await readJson(env, brief);
  if (model === undefined && brief === undefined) {
    throw new AnnealError("INVALID_INPUT", "No model was named.", {
      action: "Pass --model with a config.json or the folder of a model, or --brief with a whole brief.",
    });
  }
  const load = { peakUsers: users, headCount: staff, requestsInFlight, documentsPerHour };
  const given = {
    ...load,
    model: model === undefined ? undefined : await readModelConfig(env, model),
    gpus: gpu.length === 0 ? undefined : gpu,
    precisions: precision.length === 0 ? undefined : precision,
    profile: options.profile,
    context: options.context,
    sovereignty: options.onPremises ? { onPremises: true } : undefined,
    production: options.trial ? false : undefined,
    budget: budget === undefined ? undefined : { perMonth: budget },
  };
  const stated = Object.entries(given).filter(([, value]) => value !== undefined);
  const whole: Record<string, unknown> = { ...base, ...Object.fromEntries(stated) };
  const hasLoad = "workloads" in whole || Object.keys(load).some((key) => key in whole) || brief !== undefined;
  if (!hasLoad) {
    throw new AnnealError("INVALID_INPUT", "No load was named.", {
      action: "Pass --users, --staff, --requests-in-flight or --documents-per-hour.",
    });
  }
  return whole;
}

async function readModelConfig(env: Env, path: string): Promise<Record<string, unknown>> {
  const file = resolve(callerDir(env), path);
  const isFolder = await stat(file).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return readJson(env, isFolder ? join(file, "config.json") : file);
}

async function readJson(env: Env, path: string): Promise<Record<string, unknown>> {
  const file = resolve(callerDir(env), path);
  try {
    const content: unknown = JSON.parse(await readFile(file, "utf8"));
    if (typeof content === "object" && content !== null && !Array.isArray(content)) return { ...content };
  } catch (cause) {
    const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    throw new AnnealError("INVALID_INPUT", `${file} ${missing ? "does not exist" : "cannot be read as JSON"}.`, {
      action: "Name a config.json as it is on Hugging Face, or a folder that holds one.",
      cause,
    });
  }
  throw new AnnealError("INVALID_INPUT", `${file} holds no JSON object.`, {
    action: "Name a config.json as it is on Hugging Face, or a folder that holds one.",
  });
}

/** npm changes the folder; the person's own is in INIT_CWD. */
const callerDir = (env: Env) => env["INIT_CWD"] ?? process.cwd();
