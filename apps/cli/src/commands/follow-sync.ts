import { wordLeftOut } from "@anneal/core/connect/left-out";
import { isHeldBack } from "@anneal/core/connect/deletion-policy";
import { describeBytes } from "@anneal/core/describe-bytes";
import { AnnealError, errorCodes } from "@anneal/core/errors";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { PortalClient } from "../portal/client.ts";
import { exitCodes } from "../exit-codes.ts";
import { createLiveBlock, formatDuration } from "../terminal.ts";
import { formatTime } from "./format-time.ts";
import { printMissing } from "./print-missing.ts";
import { printSyncFailures } from "./source-failures.ts";

const pollMs = 500;

const errorSchema = z.object({
  // A portal of another release may know others.
  code: z.enum(errorCodes).catch("CONFLICT"),
  message: z.string(),
  action: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});

export const syncSchema = z.object({
  id: z.string(),
  status: z.enum(["running", "done", "failed", "cancelled", "skipped", "paused", "waiting"]),
  scanned: z.number(),
  added: z.number(),
  changed: z.number(),
  removed: z.number(),
  dropped: z.number(),
  /** Of those that failed: folders and other places, which are not among what was seen; a portal of another release tells none. */
  failedPlaces: z.number().default(0),
  bytes: z.number(),
  /** By why; a portal of another release counts none, or others. */
  leftOut: z.record(z.string(), z.number()).nullable().default(null),
  progress: z
    .object({
      expected: z.number().nullable(),
      documentsPerSecond: z.number().nullable(),
      bytesPerSecond: z.number().nullable(),
      etaMs: z.number().nullable(),
    })
    .nullable(),
  /** Of one that waits because its source asked for it. */
  waitsUntil: z.coerce.date().nullable().default(null),
  error: errorSchema.nullable(),
});
export type Sync = z.infer<typeof syncSchema>;

const syncsSchema = z.object({ rows: z.array(syncSchema) });

/**
 * Starts a sync, or goes on with the newest one, shows it until it ends or pauses, and then what it could not read.
 * @throws AnnealError what was wrong with the source, or what it held back
 */
export async function followSync(
  portal: PortalClient,
  source: { id: string; name: string },
  start: () => Promise<unknown>,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Sync> {
  const newest = async () =>
    (await portal.query("connect.syncs", { sourceId: source.id, limit: 1, offset: 0 }, syncsSchema)).rows[0];
  const before = await newest();
  await start();
  const block = createLiveBlock();
  for (;;) {
    const latest = await newest();
    // One that is resumed is the same as before, and still paused until a worker has it.
    const began = latest && (latest.id !== before?.id || latest.status !== before.status);
    if (began) {
      const line = { key: "sync", text: formatSync(latest) };
      if (latest.status === "running" || latest.status === "waiting") block.draw([{ ...line, status: "running" }]);
      else {
        block.draw([{ ...line, status: latest.error === null ? "done" : "failed" }]);
        await printSyncFailures(portal, source, latest, say);
        if (latest.error === null) return latest;
        if (isHeldBack(latest.error)) await printMissing(portal, source, latest.error, say);
        const { code, message, action, details = {} } = latest.error;
        throw new AnnealError(code, message, { action, details });
      }
    }
    await sleep(pollMs, undefined, { signal });
  }
}

/**
 * Says of a sync that did not come to its end how to go on with it.
 * @returns the exit code of the command that followed it
 */
export function tellEnd(status: Sync["status"], name: string, say: (line: string) => void): number {
  const quoted = JSON.stringify(name);
  switch (status) {
    case "paused":
      say(`“${name}” is paused and not read to its end: \`anneal connect resume ${quoted}\` goes on from there.`);
      return exitCodes.paused;
    case "cancelled":
      say(`“${name}” is not read to its end: \`anneal connect sync ${quoted}\` goes on from its last checkpoint.`);
      return exitCodes.cancelled;
    default:
      return 0;
  }
}

/** One line: what was seen so far, how much of it was fetched, how fast, and how long it still takes. */
export function formatSync(sync: Sync): string {
  const { scanned, added, changed, removed, dropped, failedPlaces, bytes, progress, status, waitsUntil, error } = sync;
  // While it reads, what was seen lags behind the rest until the next checkpoint.
  const isEnded = status !== "running" && status !== "waiting";
  const failed = dropped - failedPlaces;
  const unchanged = isEnded ? `, ${Math.max(0, scanned - added - changed - failed)} unchanged` : "";
  const done = `${added} new, ${changed} changed${unchanged}, ${removed} deleted, ${dropped} failed`;
  const leftOut = wordLeftOut(sync.leftOut ?? {});
  const counts = `${done}, ${describeBytes(bytes, "column")}${leftOut === null ? "" : `; ${leftOut}`}`;
  if (status === "paused") return `◼ paused at ${scanned} seen: ${counts}`;
  if (status === "waiting") {
    const until = waitsUntil === null ? "" : ` until ${formatTime(waitsUntil)}`;
    return `◷ waiting${until}, as the source asked for, at ${scanned} seen: ${counts}`;
  }
  if (status === "cancelled") return `◼ cancelled at ${scanned} seen: ${counts}`;
  if (status === "failed") return `✗ ${scanned} seen: ${counts}`;
  if (status === "skipped") return `– ${scanned} seen: ${counts}`;
  // As with a check: "!" is what came to its end with less than all.
  if (status === "done") return `${dropped > 0 || error !== null ? "!" : "✓"} ${scanned} seen: ${counts}`;
  const { expected = null, documentsPerSecond = null, bytesPerSecond = null, etaMs = null } = progress ?? {};
  const rates = [
    documentsPerSecond === null ? [] : [`${formatRate(documentsPerSecond)} documents/s`],
    bytesPerSecond === null ? [] : [`${describeBytes(bytesPerSecond, "column")}/s`],
    etaMs === null ? [] : [`ETA ${formatDuration(etaMs)}`],
  ].flat();
  const seen = expected === null ? `${scanned} seen` : `${scanned} of about ${expected} seen`;
  return [`▸ ${seen}: ${counts}`, ...rates].join("  ");
}

function formatRate(perSecond: number): string {
  return perSecond.toFixed(perSecond < 10 ? 1 : 0);
}
