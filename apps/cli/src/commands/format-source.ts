import { isHeldBack } from "@anneal/core/connect/deletion-policy";
import type { ListedSource } from "./find-source.ts";

/** One line: what it is and holds, what happens to it, when it was read last and when it is read by itself. */
export function formatSource(source: ListedSource): string {
  const { name, kindTitle, location, documentCount, quarantinedCount, lastSyncAt, schedule, schedulePaused } = source;
  const failed = quarantinedCount === 0 ? "" : `, ${quarantinedCount} failed`;
  return [
    `${name}  (${kindTitle}, ${location}): ${documentCount} documents${failed}`,
    wordState(source),
    ...(lastSyncAt === null ? [] : [`last read ${formatTime(lastSyncAt)}`]),
    schedule === null ? "by hand" : `schedule ${schedule}${schedulePaused ? " (paused)" : ""}`,
  ].join(" · ");
}

/** The portal's words for it, in the portal's order: what happens now before how the last sync ended. */
function wordState({ syncing, paused, waitsUntil, cancelled, lastSyncError, lastSyncAt }: ListedSource): string {
  if (syncing) return "reading";
  if (paused) return "paused";
  if (waitsUntil !== null) return `waiting for the source until ${formatTime(waitsUntil)}`;
  if (lastSyncError !== null) return isHeldBack(lastSyncError) ? "held back" : "failed";
  if (cancelled) return "cancelled";
  return lastSyncAt === null ? "not read yet" : "up to date";
}

function formatTime(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
