import { countUnindexed } from "@anneal/core/connect/source-status";
import { isAnnealError } from "@anneal/core/errors";
import { z } from "zod";
import { abortOnSignal } from "../abort-on-signal.ts";
import { exitCodes } from "../exit-codes.ts";
import type { PortalClient } from "../portal/client.ts";
import { listSources } from "./find-source.ts";
import { followRun } from "./follow-run.ts";
import { followSync, tellEnd } from "./follow-sync.ts";
import { printUnindexed, readUnindexed } from "./print-unindexed.ts";
import { startRun } from "./runs.ts";

const shownAfterRun = 10;

type Source = { id: string; name: string };
type Say = (line: string) => void;

const dropsSchema = z.object({
  rows: z.array(
    z.object({
      ref: z.string(),
      code: z.string(),
      reason: z.string(),
      // A portal of before does not say.
      sourceName: z.string().nullable().default(null),
    }),
  ),
  total: z.number(),
});

/** What follows says it, once it knows what goes on. */
const onStop = () => console.log();

/**
 * Reads a source by what `start` starts, then says what of it is not findable yet, or makes it findable.
 * @returns the exit code of the command: whoever follows a sync is told when it did not come to its end
 * @throws AnnealError what was wrong with the source, or with the run that indexes it
 */
export async function readSource(
  portal: PortalClient,
  source: Source,
  start: () => Promise<unknown>,
  { index = false }: { index?: boolean },
  say: Say = console.log,
  signal: AbortSignal = abortOnSignal(onStop),
): Promise<number> {
  const quoted = JSON.stringify(source.name);
  const sync = await unlessStopped(followSync(portal, source, start, signal, say), signal);
  if (sync === null) {
    say(`The sync goes on without you; the portal shows it. \`anneal connect cancel ${quoted}\` stops it.`);
    if (index) say(`Nothing is indexed by it: \`anneal connect index ${quoted}\` indexes what was read.`);
    return exitCodes.interrupted;
  }
  const exitCode = tellEnd(sync.status, source.name, say);
  if (!index) printUnindexed(source.name, await readUnindexed(portal, source.id), say);
  else if (sync.status === "done") return indexRead(portal, source, signal, say);
  else say(`Nothing was indexed: \`anneal connect index ${quoted}\` indexes what was read.`);
  return exitCode;
}

/** @returns null where Ctrl-C ended it */
async function unlessStopped<Followed>(followed: Promise<Followed>, signal: AbortSignal): Promise<Followed | null> {
  return followed.catch((error: unknown) => {
    // What ended before it was noticed is told as what it was.
    if (signal.aborted && !isAnnealError(error)) return null;
    throw error;
  });
}

/** A read that brought nothing new, as most of a schedule do, needs no run. */
async function indexRead(portal: PortalClient, source: Source, signal: AbortSignal, say: Say): Promise<number> {
  const count = countUnindexed(await readUnindexed(portal, source.id));
  const later = `Nothing was indexed: \`anneal connect index ${JSON.stringify(source.name)}\` indexes what was read.`;
  if (count > 0 && signal.aborted) {
    say(later);
    return exitCodes.interrupted;
  }
  if (count > 0)
    return indexSource(portal, source, signal, say).catch((error: unknown) => {
      if (isAnnealError(error) && error.code === "ALREADY_RUNNING") say(later);
      throw error;
    });
  say(`✓ Nothing of “${source.name}” waits to be parsed or indexed.`);
  return 0;
}

/**
 * Makes findable what was read of a source: a run that parses and indexes, and trains nothing. Shows it, and what it left
 * out. Also where nothing is said to wait: only the run knows what this release would read otherwise than an earlier one.
 * @param source null for all of the workspace
 * @returns the exit code of the command
 */
export async function indexSource(
  portal: PortalClient,
  source: Source | null,
  signal: AbortSignal = abortOnSignal(onStop),
  say: Say = console.log,
): Promise<number> {
  const whose = source === null ? "all sources" : `“${source.name}”`;
  const settings = { purpose: "search", fromStage: "clean", sourceIds: source === null ? null : [source.id] };
  const runId = await startRun(portal, settings);
  const run = await unlessStopped(followRun(portal, runId, signal), signal).catch(async (error: unknown) => {
    await printLeftOut(portal, source, runId, say);
    throw error;
  });
  if (run === null) {
    say(`The run goes on without you; the portal shows it. \`anneal loop cancel ${runId}\` stops it.`);
    return exitCodes.interrupted;
  }
  await printLeftOut(portal, source, runId, say);
  const count = run.report?.index.documents ?? 0;
  say(`✓ ${count} ${count === 1 ? "document" : "documents"} of ${whose} ${count === 1 ? "is" : "are"} indexed.`);
  return 0;
}

/** The first documents that could not be parsed, or hold too little, each with the reason; also where that was all of them. */
async function printLeftOut(
  portal: Pick<PortalClient, "query">,
  source: Source | null,
  runId: string,
  say: Say,
): Promise<void> {
  const page = { runId, stage: "clean", limit: shownAfterRun, offset: 0 };
  const { rows, total } = await portal.query("loop.drops", page, dropsSchema);
  for (const { ref, code, reason, sourceName } of rows) {
    const whose = source === null && sourceName !== null ? `“${sourceName}”, ` : "";
    say(`${code.startsWith("DOCUMENT_") ? "✗" : "–"} ${whose}${ref}: ${reason} (${code})`);
  }
  const others = total - rows.length;
  if (others <= 0) return;
  const names = source === null ? await listIncomplete(portal) : [source.name];
  const commands = names.map((name) => `\`anneal connect failures ${JSON.stringify(name)}\``);
  if (source !== null) say(`  and ${others} more. ${commands[0]} lists them all.`);
  else say(`  and ${others} more. To list them all, source by source: ${commands.join(", ")}.`);
}

/** The sources of which something failed or is left out. */
async function listIncomplete(portal: Pick<PortalClient, "query">): Promise<string[]> {
  const sources = await listSources(portal);
  return sources
    .filter(({ quarantinedCount, droppedCount }) => quarantinedCount + droppedCount > 0)
    .map(({ name }) => name);
}
