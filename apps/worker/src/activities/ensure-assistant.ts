import { planAssistantSettings } from "@anneal/core/chat/assistant-sources";
import type { LoopSettings } from "@anneal/core/loop/settings";
import type { Scope } from "@anneal/db/database";
import { listAssistants, saveAssistant, saveManagedSettings } from "@anneal/db/queries/chat";

/** The run's last act: something to talk to, which reads what the run read. A person's later changes to it stay. */
export async function ensureAssistant(
  scope: Scope,
  settings: Pick<LoopSettings, "assistantName" | "adapterName" | "alias" | "sourceIds">,
  collectionId: string,
): Promise<{ id: string }> {
  const { assistantName, adapterName, alias, sourceIds } = settings;
  const existing = (await listAssistants(scope)).find((assistant) => assistant.name === assistantName);
  const planned = planAssistantSettings(existing?.settings ?? null, sourceIds);
  if (existing !== undefined) {
    if (planned !== null) await saveManagedSettings(scope, existing.id, planned);
    return existing;
  }
  return saveAssistant(scope, {
    name: assistantName,
    model: `${adapterName}@${alias}`,
    collectionId,
    instructions: "",
    settings: planned ?? {},
  });
}
