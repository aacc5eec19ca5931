import { AnnealError } from "@anneal/core/errors";
import type { LoopReport } from "@anneal/core/loop/contract";
import type { SourceUriOptions } from "@anneal/connectors/source-uri";
import type { Stack } from "@anneal/local-stack/stack";
import { findRunningPortal } from "@anneal/local-stack/state-lock";
import type { Command } from "commander";
import { writeFile } from "node:fs/promises";
import { z } from "zod";
import { stateDirOf, type Env } from "../env.ts";
import { createPortalClient, type Answer, type PortalClient } from "../portal/client.ts";
import { printProgress, runStack, stopOnSignal } from "../run-stack.ts";
import { readAccessFile } from "../seed.ts";
import { createSources } from "./create-sources.ts";
import { followRun } from "./follow-run.ts";
import { printLearned } from "./start.ts";

type LoopOptions = {
  source: string[];
  ask: string[];
  report?: string;
  name: string;
  portal?: string;
  apiKey?: string;
  workspace: string;
  rank?: number;
  epochs?: number;
  generatedPassages?: number;
  retrain?: boolean;
  confirmDeletions?: boolean;
  allowPrivateHosts?: boolean;
  s3Endpoint?: string;
  s3Region?: string;
};

const collect = (value: string, all: string[]) => [...all, value];
const wholeNumber = (text: string) => z.coerce.number().int().positive().parse(text);

export function addLoopCommand(program: Command, env: Env): void {
  program
    .command("loop")
    .description("Run the loop on your own data: on the running stack, or on one that it starts and stops.")
    .requiredOption(
      "--source <uri>",
      "file:///dir, s3://bucket/prefix, postgres://…?tables=a,b or https://site; can be repeated",
      collect,
      [],
    )
    .option("--ask <question>", "ask this when the loop is done; can be repeated", collect, [])
    .option("--report <file>", "write the report as JSON")
    .option("--name <name>", "name of the dataset, adapter and assistant", "documents")
    .option("--rank <n>", "rank of the LoRA adapter", wholeNumber)
    .option("--epochs <n>", "passes over the training data", wholeNumber)
    .option(
      "--generated-passages <n>",
      "passages a teacher is asked about where the text has no question/answer form",
      Number,
    )
    .option("--retrain", "train even when nothing changed")
    .option("--confirm-deletions", "let a sync delete more documents than is usual")
    .option("--allow-private-hosts", "let a crawl reach hosts of the own network")
    .option("--s3-endpoint <url>", "S3-compatible server, for s3:// sources", env["ANNEAL_S3_ENDPOINT"])
    .option("--s3-region <region>", "region of the bucket", env["AWS_REGION"])
    .option("--portal <url>", "a portal elsewhere")
    .option("--api-key <key>", "its API key", env["ANNEAL_API_KEY"])
    .option("--workspace <slug>", "workspace of that portal", "default")
    .action((options: LoopOptions) => loop(env, options));
}

async function loop(env: Env, options: LoopOptions): Promise<void> {
  let stack: Stack | undefined;
  const signal = stopOnSignal(
    () => stack,
    () => console.log("\nStopping…"),
  );
  const found = await findPortal(env, options);
  let portal = found;
  if (portal === null) {
    console.log("No running stack was found: starting one.");
    const running = await runStack(env, printProgress);
    stack = running.stack;
    portal = running.portal;
    await stack.engineReady;
  }
  try {
    const report = await runLoop(portal, env, options, signal);
    if (options.report) await writeReport(options.report, report);
    for (const { question, answer, citations } of report.answers) {
      console.log(`\n? ${question}\n  ${answer}`);
      for (const { title, page, section, quote } of citations) {
        const place = [page === null ? null : `page ${page}`, section].filter(Boolean).join(", ");
        console.log(`  — ${title}${place ? `, ${place}` : ""}: “${quote.replaceAll(/\s+/g, " ")}”`);
      }
    }
  } finally {
    await stack?.stop();
  }
}

async function runLoop(portal: PortalClient, env: Env, options: LoopOptions, signal: AbortSignal): Promise<LoopReport> {
  const uriOptions: SourceUriOptions = {
    ...(options.s3Endpoint ? { s3Endpoint: options.s3Endpoint } : {}),
    ...(options.s3Region ? { s3Region: options.s3Region } : {}),
    ...(env["AWS_ACCESS_KEY_ID"] ? { s3AccessKeyId: env["AWS_ACCESS_KEY_ID"] } : {}),
    ...(env["AWS_SECRET_ACCESS_KEY"] ? { s3SecretAccessKey: env["AWS_SECRET_ACCESS_KEY"] } : {}),
    ...(options.allowPrivateHosts ? { allowPrivateHosts: true } : {}),
    baseDir: env["INIT_CWD"] ?? process.cwd(),
  };
  const sourceIds = await createSources(
    portal,
    options.source.map((uri) => ({ uri, options: uriOptions })),
  );
  const { name } = options;
  const settings = {
    sourceIds,
    datasetName: name,
    adapterName: name,
    assistantName: name,
    collectionName: "documents",
    retrain: options.retrain ?? false,
    confirmDeletions: options.confirmDeletions ?? false,
    ...(options.generatedPassages === undefined ? {} : { generatedPassages: options.generatedPassages }),
    training: {
      ...(options.rank === undefined ? {} : { rank: options.rank, alpha: options.rank * 2 }),
      ...(options.epochs === undefined ? {} : { epochs: options.epochs }),
    },
  };
  const { runId } = await portal.mutate("loop.start", settings, z.object({ runId: z.string() }));
  const run = await followRun(portal, runId, signal);
  printLearned(run);
  const answers: Answer[] = [];
  for (const question of options.ask) answers.push(await portal.ask(name, question));
  return { ...run.report!, answers };
}

/** The portal that was named, or the one that runs from this folder's state; null when there is none. */
async function findPortal(env: Env, options: LoopOptions): Promise<PortalClient | null> {
  if (options.portal !== undefined) {
    if (options.apiKey === undefined) {
      throw new AnnealError("UNAUTHENTICATED", "The portal was named without an API key.", {
        action: "Pass --api-key, or set ANNEAL_API_KEY.",
      });
    }
    return createPortalClient({ url: options.portal, workspace: options.workspace, apiKey: options.apiKey });
  }
  const stateDir = stateDirOf(env);
  const [url, access] = await Promise.all([findRunningPortal(stateDir), readAccessFile(stateDir)]);
  return url === null || access === null
    ? null
    : createPortalClient({ url, workspace: access.workspace, apiKey: access.apiKey });
}

async function writeReport(path: string, report: LoopReport): Promise<void> {
  await writeFile(path, `${JSON.stringify(report, null, 2)}\n`).catch((cause: unknown) => {
    throw new AnnealError("INVALID_INPUT", `The report could not be written to ${path}.`, {
      action: "Choose a file in a folder that exists and that you may write to.",
      cause,
    });
  });
}
