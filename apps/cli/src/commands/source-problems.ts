import { isHeldBack } from "@anneal/core/connect/deletion-policy";
import type { ListedSource } from "./find-source.ts";

export type SourceProblems = Pick<ListedSource, "lastSyncError" | "directoryError">;

/** Why a source as a whole was not read, or not completely: what happened and what to do, two lines each. */
export function formatProblems({ lastSyncError, directoryError }: SourceProblems): string[] {
  const lines: string[] = [];
  if (lastSyncError !== null) {
    const { code, message, action } = lastSyncError;
    // What waits for a person's word is no error, and its code says nothing.
    lines.push(isHeldBack(lastSyncError) ? `  ! ${message}` : `  ✗ ${message} (${code})`, `    What to do: ${action}`);
  }
  if (directoryError !== null) {
    const { code, message, action } = directoryError;
    lines.push(`  ! ${message} (${code})`, `    What to do: ${action}`);
  }
  return lines;
}
