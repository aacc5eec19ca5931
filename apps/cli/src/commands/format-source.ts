import { sourceStatusWords, statusOfSource, wordLeftOut, wordUnindexed } from "@anneal/core/connect/source-status";
import type { ListedSource } from "./find-source.ts";
import { formatTime } from "./format-time.ts";
import { formatProblems } from "./source-problems.ts";

/**
 * What it is and holds, what happens to it, when it was read last and when it is read by itself, in one line; below it what
 * was wrong with the last read.
 */
export function formatSource(source: ListedSource): string {
  const { name, kindTitle, location, documentCount, quarantinedCount, lastSyncAt, schedule, schedulePaused } = source;
  const failed = quarantinedCount === 0 ? [] : [`${quarantinedCount} failed`];
  const documents = [`${documentCount} documents`, ...failed, wordLeftOut(source) ?? [], wordUnindexed(source) ?? []]
    .flat()
    .join(", ");
  const line = [
    `${name}  (${kindTitle}, ${location}): ${documents}`,
    wordState(source),
    ...(lastSyncAt === null ? [] : [`last read ${formatTime(lastSyncAt)}`]),
    schedule === null ? "by hand" : `schedule ${schedule}${schedulePaused ? " (paused)" : ""}`,
  ].join(" · ");
  return [line, ...formatProblems(source)].join("\n");
}

/** What failed is told with the documents. */
function wordState(source: ListedSource): string {
  const status = statusOfSource(source);
  const word = sourceStatusWords[status].toLowerCase();
  const until = status === "waiting" && source.waitsUntil;
  return until ? `${word} until ${formatTime(until)}` : word;
}
