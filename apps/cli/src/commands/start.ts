import { parseSourceUri } from "@anneal/connectors/source-uri";
import type { Command } from "commander";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Env } from "../env.ts";
import type { Answer, PortalClient } from "../portal/client.ts";
import { describeError } from "../describe-error.ts";
import { abortOnSignal } from "../abort-on-signal.ts";
import { printProgress, runStack } from "../run-stack.ts";
import { formatDuration } from "../terminal.ts";
import { readExampleQuestion, examplesUri } from "../examples.ts";
import { followRun, type FinishedRun } from "./follow-run.ts";
import { createSources } from "./create-sources.ts";

/** The worker looks every two seconds; longer than this it has another reason, which the Pools page shows. */
const replicaWaitMs = 20_000;
const replicaPollMs = 200;

export function addStartCommand(program: Command, env: Env): void {
  program
    .command("start")
    .description("Start everything on this machine; on an empty workspace, run the loop on the examples.")
    .option("--no-examples", "leave an empty workspace empty")
    .action((options: { examples: boolean }) => start(env, options));
}

async function start(env: Env, options: { examples: boolean }): Promise<void> {
  const startedAt = Date.now();
  const signal = abortOnSignal(() => console.log("\nStopping…"));
  const { stack, portal, access } = await runStack(env, printProgress, signal);
  try {
    console.log(`\nThe portal is at ${stack.portalUrl} (${formatDuration(Date.now() - startedAt)}).`);
    console.log(
      `Sign in as ${access.email} with ${access.password === null ? "your password" : `the password ${access.password}`}`,
    );

    const sources = await portal.query("connect.list", undefined, z.array(z.object({ id: z.string() })));
    await stack.engineReady;
    if (stack.startEngine !== null) await awaitReplica(portal, signal);
    if (options.examples && sources.length === 0)
      await learnFromExamples(portal, stack.env["ANNEAL_BASE_MODEL"] ?? "", signal).catch((error: unknown) => {
        // Somebody cancelled it in the portal, or it failed: both are told there, and the portal stays for them.
        if (signal.aborted) throw error;
        console.error(describeError(error));
      });

    console.log(`\nPortal   ${stack.portalUrl}`);
    console.log(`Sign-in  ${access.email} / ${access.password ?? "your password"}`);
    console.log(`API      ${stack.portalUrl}/api/v1 with the key ${access.apiKey}`);
    console.log(
      '\nIt runs until you press Ctrl-C. Your own data: npm run anneal -- loop --source file:///your/folder --audience members --ask "…"',
    );
    if (!signal.aborted) await once(signal, "abort");
  } catch (error) {
    // What Ctrl-C cut off is no failure: a run goes on where it was with the next start.
    if (!signal.aborted) throw error;
  } finally {
    await stack.stop();
  }
  console.log("Stopped; everything is kept for the next start.");
}

const replicasSchema = z.object({ replicas: z.array(z.object({ status: z.string() })) });

/** The engine answers, and the portal hears of it a moment later: whoever is told that it runs may ask at once. */
async function awaitReplica(portal: PortalClient, signal: AbortSignal): Promise<void> {
  const until = Date.now() + replicaWaitMs;
  while (Date.now() < until) {
    const { replicas } = await portal.query("pools.overview", undefined, replicasSchema);
    if (replicas.some(({ status }) => status === "ready")) return;
    await sleep(replicaPollMs, undefined, { signal });
  }
}

/** The first loop: what a new user sees instead of an empty portal. */
async function learnFromExamples(portal: PortalClient, baseModelPath: string, signal: AbortSignal): Promise<void> {
  const base = baseModelPath.split("/").filter(Boolean).at(-1) ?? "base";
  const example = await readExampleQuestion();
  console.log("\nThe workspace is empty: the loop runs on the documents of examples/.\n");
  const before = await portal.ask(base, example.question);
  await createSources(portal, [parseSourceUri(examplesUri)], "members");
  // Of every source, so that the assistant it makes also reads what is added later.
  const { runId } = await portal.mutate("loop.start", {}, z.object({ runId: z.string() }));
  const run = await followRun(portal, runId, signal);
  printLearned(run);
  const after = await portal.ask("support@production", example.question);
  const cited = await portal.ask("assistant", example.question);
  console.log(`\nAsked: ${example.question}`);
  console.log(`  before tuning   ${oneLine(before.answer)}`);
  console.log(`  after tuning    ${oneLine(after.answer)}`);
  console.log(`  with documents  ${oneLine(cited.answer)}`);
  for (const citation of cited.citations) console.log(`                  — ${describeCitation(citation)}`);
}

/** One line: where it stands and what it says. */
export function describeCitation({ title, page, section, quote }: Answer["citations"][number]): string {
  const place = [title, page === null ? null : `page ${page}`, section].filter(Boolean).join(", ");
  return `${place}: “${oneLine(quote)}”`;
}

export function printLearned({ report }: FinishedRun): void {
  if (report === null) return;
  const dropped = report.stages.reduce((sum, stage) => sum + stage.dropped.length, 0);
  const { dataset, run, adapter, deployment, index } = report;
  console.log("");
  if (dataset)
    console.log(
      `Learned   ${dataset.train} examples (${dataset.eval} held out), ${dropped} documents and pairs left out with a reason`,
    );
  if (run)
    console.log(
      `Loss      ${run.loss.first.toFixed(2)} → ${run.loss.last.toFixed(2)}${run.loss.window > 1 ? ` (means of ${run.loss.window} steps)` : ""}${run.loss.eval === null ? "" : `, held out ${run.loss.eval.toFixed(2)}`}; ${run.steps} steps at ${Math.round(run.tokensPerSecond)} tokens/s`,
    );
  if (adapter && deployment)
    console.log(
      `Serving   ${adapter.name} as ${deployment.servingName}, swapped in ${deployment.swapMs} ms on ${deployment.replicas} replica${deployment.replicas === 1 ? "" : "s"}`,
    );
  const leftOut = dataset === null && dropped > 0 ? `; ${dropped} documents left out with a reason` : "";
  console.log(`Index     ${index.documents} documents, ${index.chunks} passages${leftOut}`);
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}
