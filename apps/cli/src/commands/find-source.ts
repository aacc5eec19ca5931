import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { PortalClient } from "../portal/client.ts";

/** What of a source a run has still to make findable. A portal of before does not say. */
export const unindexedFields = {
  waitingCount: z.number().default(0),
  unindexedCount: z.number().default(0),
};

/** What of a source the rules leave out. A portal of before does not say. */
const leftOutFields = {
  droppedCount: z.number().default(0),
  duplicateCount: z.number().default(0),
};

const problemSchema = z.object({
  code: z.string(),
  message: z.string(),
  action: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});

const sourcesSchema = z.array(
  z.object({
    id: z.string(),
    name: z.string(),
    kindTitle: z.string(),
    location: z.string(),
    documentCount: z.number(),
    quarantinedCount: z.number(),
    ...unindexedFields,
    ...leftOutFields,
    syncing: z.boolean(),
    paused: z.boolean(),
    waitsUntil: z.coerce.date().nullable(),
    // A portal of before does not say.
    cancelled: z.boolean().default(false),
    lastSyncAt: z.coerce.date().nullable(),
    lastSyncError: problemSchema.nullable(),
    directoryError: problemSchema.nullable().default(null),
    schedule: z.string().nullable(),
    schedulePaused: z.boolean(),
  }),
);
export type ListedSource = z.infer<typeof sourcesSchema>[number];

export async function listSources(portal: Pick<PortalClient, "query">): Promise<ListedSource[]> {
  return portal.query("connect.list", undefined, sourcesSchema);
}

/** @throws AnnealError NOT_FOUND that names the sources there are */
export async function findSource(portal: Pick<PortalClient, "query">, name: string): Promise<ListedSource> {
  const sources = await listSources(portal);
  const found = sources.find((source) => source.name === name || source.id === name);
  if (found) return found;
  throw new AnnealError("NOT_FOUND", `There is no source “${name}”.`, {
    action: sources.length === 0 ? "Add one first." : `Use one of: ${sources.map((each) => each.name).join(", ")}.`,
  });
}
