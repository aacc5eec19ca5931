import { listUnreadSources } from "@anneal/core/chat/assistant-sources";
import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { PortalClient } from "../portal/client.ts";

const assistantsSchema = z.array(
  z.object({
    name: z.string(),
    settings: z.object({ sourceIds: z.array(z.string()).optional() }),
    managedByRuns: z.boolean(),
  }),
);

/**
 * Questions about sources that the assistant of this name will not read have no right answer: said before a run.
 * @throws AnnealError CONFLICT when somebody limited that assistant to other sources
 */
export async function assertAssistantReads(
  portal: Pick<PortalClient, "query">,
  name: string,
  sourceIds: readonly string[],
): Promise<void> {
  const assistants = await portal.query("assistants.list", undefined, assistantsSchema);
  const assistant = assistants.find((each) => each.name === name);
  if (assistant === undefined) return;
  const { settings, managedByRuns } = assistant;
  if (listUnreadSources({ ...settings, managedByRuns }, sourceIds).length === 0) return;
  throw new AnnealError(
    "CONFLICT",
    `The assistant "${name}" is limited to other sources, so it cannot be asked about these.`,
    {
      action: "Let it read them on the Assistants page, or pass another --name.",
    },
  );
}
