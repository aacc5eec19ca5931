import { planWait, type Wait } from "@anneal/core/connect/plan-wait";
import { AnnealError } from "@anneal/core/errors";
import type { Scope } from "@anneal/db/database";
import { getSource, type Source } from "@anneal/db/queries/sources";
import { endSync, type SyncCounts, type SyncState } from "@anneal/db/queries/source-syncs";
import { isDeepStrictEqual } from "node:util";
import { countStored } from "./count-stored.ts";
import type { ProgressReporter } from "./progress.ts";

export type EndingSync = {
  scope: Scope;
  /** As it was when this attempt began. */
  source: Source;
  sync: SyncState & { sourceId: string };
  countsBefore: SyncCounts;
  progress: ProgressReporter;
};

/**
 * What a sync does that ended because its source asks to be left alone: its row says until when it waits.
 * @returns null for any other error
 * @throws AnnealError RATE_LIMITED when it has waited often enough for nothing
 */
export async function beginWait(ending: EndingSync, idleWaits: number, error: unknown): Promise<Wait | null> {
  if (!(error instanceof AnnealError) || error.code !== "RATE_LIMITED") return null;
  const { scope, source, sync, progress } = ending;
  const plan = planWait(source.name, error, { idleWaits, advanced: await hasAdvanced(ending) });
  if ("giveUp" in plan) {
    const { code, message, action, details = {} } = plan.giveUp;
    throw new AnnealError(code, message, { action, details });
  }
  const until = new Date(Date.now() + plan.wait.waitMs);
  await endSync(scope, sync, { status: "waiting", until, error: error.toReport() });
  await progress.announce(sync.counts.scanned, waitNote(source.name, until));
  return plan.wait;
}

export function waitNote(name: string, until: Date): string {
  return `Waiting until ${until.toISOString().slice(0, 16).replace("T", " ")} UTC, as “${name}” asked for.`;
}

/** Whether something is durable that was not before: documents, or a place in the source to go on from. */
async function hasAdvanced({ scope, source, sync, countsBefore }: EndingSync): Promise<boolean> {
  if (countStored(sync.counts) > countStored(countsBefore)) return true;
  const { cursor } = await getSource(scope, source.id);
  return !isDeepStrictEqual(cursor, source.cursor);
}
