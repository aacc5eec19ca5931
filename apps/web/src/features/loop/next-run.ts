import type { RunPurpose } from "@anneal/core/loop/settings";
import type { RunView } from "#features/loop/loop-picture.tsx";

type Scope = { settings: RunView["settings"]; sources: RunView["sources"] };

/** A run that can be started now: what it reads in words, and all that it is told. */
type NextRun = { key: "again" | "all"; label: string; settings: RunView["settings"] };

/**
 * The ways to go on from a run: as it was, without sources that are gone since, and over all sources. Deletions that
 * somebody agreed to then are not agreed to now.
 */
export function planNextRuns({ settings, sources }: Scope, purpose: RunPurpose): NextRun[] {
  const again = { ...settings, purpose, confirmDeletions: false };
  const all: NextRun = { key: "all", label: "All sources", settings: { ...again, sourceIds: null } };
  const left = sources?.filter(({ name }) => name !== null) ?? [];
  if (left.length === 0) return [all];
  const label = left.map(({ name }) => name).join(", ");
  return [{ key: "again", label, settings: { ...again, sourceIds: left.map(({ id }) => id) } }, all];
}
