import { AnnealError } from "@anneal/core/errors";
import type { LoopReport } from "@anneal/core/loop/contract";
import { nameSchema } from "@anneal/core/loop/settings";
import { trainerMethods, type TrainerMethod } from "@anneal/core/train/trainer-config";
import { parseSourceUri, type ParsedSourceUri, type SourceUriOptions } from "@anneal/connectors/source-uri";
import type { Stack } from "@anneal/local-stack/stack";
import { InvalidArgumentError, Option, type Command } from "commander";
import { constants } from "node:fs";
import { access, stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import type { Env } from "../env.ts";
import type { Answer, PortalClient } from "../portal/client.ts";
import { addPortalOptions, findPortal, requirePortal, type PortalOptions } from "../portal/find-portal.ts";
import { abortOnSignal } from "../abort-on-signal.ts";
import { printProgress, runStack } from "../run-stack.ts";
import { assertAssistantReads } from "./assert-assistant-reads.ts";
import { createSources } from "./create-sources.ts";
import { followRun } from "./follow-run.ts";
import { findRunId, startRun } from "./runs.ts";
import { describeCitation, printLearned } from "./start.ts";

type LoopOptions = PortalOptions & {
  source: string[];
  ask: string[];
  report?: string;
  name: string;
  audience?: "members" | "nobody";
  method?: TrainerMethod;
  rank?: number;
  epochs?: number;
  generatedPassages?: number;
  retrain?: boolean;
  indexOnly?: boolean;
  confirmDeletions?: boolean;
  allowPrivateHosts?: boolean;
  s3Endpoint?: string;
  s3Region?: string;
};

const collect = (value: string, all: string[]) => [...all, value];

/** Reads an option's value, or says what is wrong with it in one sentence. */
function optionOf<T>(schema: z.ZodType<T>): (text: string) => T {
  return (text) => {
    const { data, error } = schema.safeParse(text);
    if (error) throw new InvalidArgumentError(error.issues[0]?.message ?? "");
    return data as T;
  };
}

const wholeNumber = (least: number, most: number) => {
  const message = `It must be a whole number from ${least} to ${most}.`;
  return optionOf(z.coerce.number(message).int(message).min(least, message).max(most, message));
};

const audienceSchema = z.enum(["members", "nobody"], "It must be members or nobody.");
const methodSchema = z.enum(trainerMethods, `It must be one of ${trainerMethods.join(", ")}.`);

export function addLoopCommand(program: Command, env: Env): void {
  const command = addPortalOptions(program.command("loop"), env)
    .description("Run the loop on your own data: on the running stack, or on one that it starts and stops.")
    .option(
      "--source <uri>",
      "file:///dir, s3://bucket/prefix, postgres://…?tables=a,b or https://site; can be repeated",
      collect,
      [],
    )
    .option("--ask <question>", "ask this when the loop is done; can be repeated", collect, [])
    .option("--report <file>", "write the report as JSON")
    .option(
      "--audience <who>",
      "the default audience of a source that is new, who reads documents without permissions of their own: members (of the workspace) or nobody",
      optionOf(audienceSchema),
    )
    .option("--name <name>", "name of the dataset, adapter and assistant", optionOf(nameSchema), "documents")
    .option("--method <name>", "lora, rslora or qlora (4-bit, on NVIDIA GPUs)", optionOf(methodSchema))
    .option("--rank <n>", "rank of the LoRA adapter", wholeNumber(1, 256))
    .option("--epochs <n>", "passes over the training data", wholeNumber(1, 100))
    .option(
      "--generated-passages <n>",
      "passages a teacher is asked about where the text has no question/answer form",
      wholeNumber(0, 100_000),
    )
    .addOption(
      new Option("--index-only", "only make the documents findable: nothing is trained").conflicts([
        "retrain",
        "method",
        "rank",
        "epochs",
        "generatedPassages",
      ]),
    )
    .option("--retrain", "train even when nothing changed")
    .option("--confirm-deletions", "let a sync delete more documents than is usual")
    .option("--allow-private-hosts", "let a crawl, a database or an S3 endpoint lead to hosts of the own network")
    .option("--s3-endpoint <url>", "S3-compatible server, for s3:// sources", env["ANNEAL_S3_ENDPOINT"])
    .option("--s3-region <region>", "region of the bucket", env["AWS_REGION"])
    .action((options: LoopOptions) => loop(env, options));
  addPortalOptions(command.command("cancel <run>"), env)
    .description("end a run that waits or goes on; what its finished stages stored is kept")
    .action(async (runId: string, _options: object, cancel: Command) => {
      // The loop's own options of the same names take what is given.
      const portal = await requirePortal(env, cancel.optsWithGlobals<PortalOptions>());
      await portal.mutate("loop.cancel", { runId: await findRunId(portal, runId) }, z.unknown());
      console.log("✓ The run is cancelled; what its finished stages stored is kept.");
    });
}

async function loop(env: Env, options: LoopOptions): Promise<void> {
  // Everything that can be wrong with the command line is said before anything starts.
  const sources = readSources(env, options);
  requireAudience(options);
  if (options.report !== undefined) await assertWritable(reportPath(env, options.report));
  const signal = abortOnSignal(() => console.log("\nStopping…"));
  let stack: Stack | undefined;
  let portal = await findPortal(env, options);
  if (portal === null) {
    console.log("No running stack was found: starting one.");
    const running = await runStack(env, printProgress, signal);
    stack = running.stack;
    portal = running.portal;
  }
  try {
    await stack?.engineReady;
    const report = await runLoop(portal, sources, options, signal);
    if (options.report !== undefined) await writeReport(reportPath(env, options.report), report);
  } finally {
    await stack?.stop();
  }
}

/** Nobody reads by an oversight what a folder, a bucket or a website does not protect by itself. */
function requireAudience({ audience }: LoopOptions): "members" | "nobody" {
  if (audience !== undefined) return audience;
  throw new AnnealError("INVALID_INPUT", "Nobody has said who may read the documents.", {
    action:
      "Pass --audience members where everyone in the workspace may read documents without permissions of their own, or --audience nobody.",
  });
}

/** @throws AnnealError INVALID_INPUT for the first address that cannot be read, or where there is none */
function readSources(env: Env, options: LoopOptions): ParsedSourceUri[] {
  const uriOptions: SourceUriOptions = {
    ...(options.s3Endpoint ? { s3Endpoint: options.s3Endpoint } : {}),
    ...(options.s3Region ? { s3Region: options.s3Region } : {}),
    ...(env["AWS_ACCESS_KEY_ID"] ? { s3AccessKeyId: env["AWS_ACCESS_KEY_ID"] } : {}),
    ...(env["AWS_SECRET_ACCESS_KEY"] ? { s3SecretAccessKey: env["AWS_SECRET_ACCESS_KEY"] } : {}),
    ...(env["AWS_SESSION_TOKEN"] ? { s3SessionToken: env["AWS_SESSION_TOKEN"] } : {}),
    ...(options.allowPrivateHosts ? { allowPrivateHosts: true } : {}),
    baseDir: callerDir(env),
  };
  if (options.source.length === 0) {
    throw new AnnealError("INVALID_INPUT", "No source was named.", {
      action: "Pass at least one --source: file:///folder, s3://bucket/prefix, postgres://… or https://site/.",
    });
  }
  return options.source.map((uri) => parseSourceUri(uri, uriOptions));
}

async function runLoop(
  portal: PortalClient,
  sources: ParsedSourceUri[],
  options: LoopOptions,
  signal: AbortSignal,
): Promise<LoopReport> {
  const sourceIds = await createSources(portal, sources, requireAudience(options));
  const { name } = options;
  if (options.ask.length > 0) await assertAssistantReads(portal, name, sourceIds);
  const settings = {
    purpose: options.indexOnly ? "search" : "everything",
    sourceIds,
    datasetName: name,
    adapterName: name,
    assistantName: name,
    retrain: options.retrain ?? false,
    confirmDeletions: options.confirmDeletions ?? false,
    ...(options.generatedPassages === undefined ? {} : { generatedPassages: options.generatedPassages }),
    training: {
      ...(options.method === undefined ? {} : { method: options.method }),
      ...(options.rank === undefined ? {} : { rank: options.rank, alpha: options.rank * 2 }),
      ...(options.epochs === undefined ? {} : { epochs: options.epochs }),
    },
  };
  const runId = await startRun(portal, settings);
  const run = await followRun(portal, runId, signal).catch(async (error: unknown) => {
    if (!signal.aborted) throw error;
    await portal.mutate("loop.cancel", { runId }, z.unknown());
    throw new AnnealError("CANCELLED", "You stopped the run; what its finished stages stored is kept.", {
      action: "Start it again when you want to: what did not change is not read again.",
    });
  });
  printLearned(run);
  const answers: Answer[] = [];
  for (const question of options.ask) {
    if (signal.aborted) {
      throw new AnnealError("CANCELLED", "You stopped it before every question was asked; the run itself is done.", {
        action: "Ask the rest in the portal's chat.",
      });
    }
    // At once: a large model on a small machine takes its time for each.
    console.log(`\n? ${question}`);
    const answer = await portal.ask(name, question);
    printAnswer(answer);
    answers.push(answer);
  }
  return { ...run.report!, answers };
}

function printAnswer({ answer, citations }: Answer): void {
  console.log(`  ${answer}`);
  for (const citation of citations) console.log(`  — ${describeCitation(citation)}`);
}

/** npm changes the folder; the person's own is in INIT_CWD. */
const callerDir = (env: Env) => env["INIT_CWD"] ?? process.cwd();
const reportPath = (env: Env, report: string) => resolve(callerDir(env), report);

/** An hour of training must not end at a mistyped path. */
async function assertWritable(path: string): Promise<void> {
  try {
    const existing = await stat(path).catch(() => null);
    if (existing?.isDirectory()) throw unwritable(path, "it is a folder");
    await access(existing === null ? dirname(path) : path, constants.W_OK);
  } catch (error) {
    throw error instanceof AnnealError ? error : unwritable(path, error);
  }
}

async function writeReport(path: string, report: LoopReport): Promise<void> {
  await writeFile(path, `${JSON.stringify(report, null, 2)}\n`).catch((cause: unknown) => {
    throw unwritable(path, cause);
  });
}

function unwritable(path: string, cause: unknown): AnnealError {
  return new AnnealError("INVALID_INPUT", `The report cannot be written to ${path}.`, {
    action: "Choose a file in a folder that exists and that you may write to.",
    cause,
  });
}
