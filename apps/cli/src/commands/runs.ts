import { AnnealError, isAnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { PortalClient } from "../portal/client.ts";

const startedSchema = z.object({ runId: z.string() });
const runsSchema = z.object({ runs: z.array(z.object({ id: z.string() })) });

/**
 * @returns the id of the run
 * @throws AnnealError ALREADY_RUNNING with the command that ends the one that goes on
 */
export async function startRun(portal: Pick<PortalClient, "mutate">, settings: object): Promise<string> {
  try {
    return (await portal.mutate("loop.start", settings, startedSchema)).runId;
  } catch (error) {
    if (!isAnnealError(error) || error.code !== "ALREADY_RUNNING") throw error;
    const { runId } = startedSchema.partial().parse(error.details);
    if (runId === undefined) throw error;
    const action = `${error.action} \`anneal loop cancel ${runId}\` stops it.`;
    throw new AnnealError(error.code, error.message, { action, details: error.details });
  }
}

/** @param given a run's id, or its first characters, as the portal shows it; of the runs that the portal still lists */
export async function findRunId(portal: Pick<PortalClient, "query">, given: string): Promise<string> {
  if (z.uuid().safeParse(given).success) return given;
  const { runs } = await portal.query("loop.overview", undefined, runsSchema);
  const ids = runs.map(({ id }) => id).filter((id) => given !== "" && id.startsWith(given.toLowerCase()));
  if (ids.length === 1) return ids[0]!;
  throw new AnnealError(
    "NOT_FOUND",
    ids.length === 0 ? `No run begins with "${given}".` : `${ids.length} runs begin with "${given}".`,
    { action: "Give the whole id: it is in the address of the run's page." },
  );
}
