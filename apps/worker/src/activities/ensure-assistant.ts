import { planAssistantSettings } from "@anneal/core/chat/assistant-sources";
import type { LoopSettings } from "@anneal/core/loop/settings";
import type { Scope } from "@anneal/db/database";
import { listAssistants, saveAssistant, saveManagedAssistant } from "@anneal/db/queries/chat";
import { listCurrentAliases } from "@anneal/db/queries/deploy";

/** What an assistant answers with while the workspace has no adapter for it. */
const baseModel = "base";

/**
 * The run's last act: something to talk to, which reads what the run read. A person's later changes to it stay. One that
 * there was no adapter for when it was made gets it from the first run that trains; none is ever taken from it.
 */
export async function ensureAssistant(
  scope: Scope,
  settings: Pick<LoopSettings, "purpose" | "assistantName" | "adapterName" | "alias" | "sourceIds">,
  collectionId: string,
): Promise<{ id: string }> {
  const { assistantName, sourceIds } = settings;
  const existing = (await listAssistants(scope)).find((assistant) => assistant.name === assistantName);
  const planned = planAssistantSettings(existing?.settings ?? null, sourceIds);
  const hasModel = existing !== undefined && existing.model !== baseModel;
  const model = hasModel ? existing.model : await modelAfter(scope, settings);
  if (existing === undefined)
    return saveAssistant(scope, {
      name: assistantName,
      model,
      collectionId,
      instructions: "",
      settings: planned ?? {},
    });
  if (planned !== null || model !== existing.model)
    await saveManagedAssistant(scope, existing.id, { model, settings: planned ?? existing.settings });
  return existing;
}

/** A run that does not train may find no adapter of this name. */
async function modelAfter(
  scope: Scope,
  { purpose, adapterName, alias }: Pick<LoopSettings, "purpose" | "adapterName" | "alias">,
): Promise<string> {
  const isServed =
    purpose === "everything" ||
    (await listCurrentAliases(scope)).some((entry) => entry.adapterName === adapterName && entry.alias === alias);
  return isServed ? `${adapterName}@${alias}` : baseModel;
}
