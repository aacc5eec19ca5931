import { z } from "zod";

const managedSettingsSchema = z.looseObject({
  /** Absent: every source, those that are added later too. */
  sourceIds: z.array(z.string()).optional(),
  /** A run made it and nobody has edited it since: saving it in the portal writes settings without this. */
  managedByRuns: z.boolean().default(false),
});

/**
 * The settings with which a run leaves its assistant: one that only runs have made reads at least what this run read.
 * @param settings null for an assistant that is still to be made
 * @param sourceIds the run's; null for every source of the workspace
 * @returns null when nothing is to be written
 */
export function planAssistantSettings(
  settings: Record<string, unknown> | null,
  sourceIds: readonly string[] | null,
): Record<string, unknown> | null {
  if (settings === null) return { ...(sourceIds === null ? {} : { sourceIds }), managedByRuns: true };
  const { sourceIds: read, ...rest } = managedSettingsSchema.parse(settings);
  if (!rest.managedByRuns || read === undefined) return null;
  if (sourceIds === null) return rest;
  return sourceIds.every((id) => read.includes(id))
    ? null
    : { ...rest, sourceIds: [...new Set([...read, ...sourceIds])] };
}

/** Of these sources, those that an assistant does not read, and that no run will add to it. */
export function listUnreadSources(settings: Record<string, unknown>, sourceIds: readonly string[]): string[] {
  const { sourceIds: read, managedByRuns } = managedSettingsSchema.parse(settings);
  return managedByRuns || read === undefined ? [] : sourceIds.filter((id) => !read.includes(id));
}
