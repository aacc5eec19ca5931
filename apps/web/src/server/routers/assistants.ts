import { mayEdit } from "@anneal/core/access/roles";
import { z } from "zod";
import { AnnealError } from "@anneal/core/errors";
import { recordAudit } from "@anneal/db/queries/audit";
import {
  countConversations,
  deleteAssistant,
  getAssistant,
  listAssistants,
  saveAssistant,
} from "@anneal/db/queries/chat";
import { listCollections } from "@anneal/db/queries/indexing";
import { assistantSettingsSchema } from "#server/chat/answer-question.ts";
import { routingTable } from "#server/gateway/gateway.ts";
import { listModelTargets } from "#server/gateway/resolve-model.ts";
import { memberProcedure, router, scientistProcedure } from "#server/trpc.ts";

/** Why an assistant cannot be asked now, or that it can. */
export type Usability = "usable" | "notPermitted" | "modelMissing";

const assistantInput = z.object({
  id: z.uuid().optional(),
  /** Also its model name in the API, next to adapters ("name@alias") and base models. */
  name: z
    .string()
    .trim()
    .min(1)
    .max(60)
    .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]*$/u, "may have letters, digits, spaces, dots, dashes and underscores"),
  model: z.string().min(1).max(200),
  collectionId: z.uuid().nullable(),
  instructions: z.string().trim().max(8_000),
  settings: assistantSettingsSchema,
});

export const assistantsRouter = router({
  /** Those that one may use; who changes assistants sees all, with why one cannot be used. */
  list: memberProcedure.query(async ({ ctx }) => {
    const { scope, identity } = ctx;
    const table = routingTable();
    const [assistants, collections, conversations, targets, routes] = await Promise.all([
      listAssistants(scope),
      listCollections(scope),
      countConversations(scope),
      listModelTargets(table, identity),
      table.routesOf(identity.workspaceId),
    ]);
    const usable = new Map(
      targets.flatMap((target) => (target.kind === "assistant" ? [[target.assistant.id, target] as const] : [])),
    );
    const rows = assistants.map((assistant) => {
      const collection = collections.find((each) => each.collection.id === assistant.collectionId);
      const hasModel = assistant.model === "base" || routes.aliases.has(assistant.model);
      const usability: Usability = usable.has(assistant.id) ? "usable" : hasModel ? "notPermitted" : "modelMissing";
      return {
        id: assistant.id,
        name: assistant.name,
        model: assistant.model,
        servingName: routes.aliases.get(assistant.model) ?? null,
        collection: collection
          ? { id: collection.collection.id, name: collection.collection.name, documents: collection.documentCount }
          : null,
        instructions: assistant.instructions,
        settings: assistantSettingsSchema.parse(assistant.settings),
        managedByRuns: assistant.settings["managedByRuns"] === true,
        conversations: conversations.find((each) => each.assistantId === assistant.id)?.count ?? 0,
        createdAt: assistant.createdAt,
        usability,
        /** Its adapter learned from documents that one may not read: the base model answers one instead. */
        adapterWithheld: usable.get(assistant.id)?.adapterWithheld ?? false,
      };
    });
    return mayEdit(ctx.identity.role) ? rows : rows.filter((row) => row.usability === "usable");
  }),

  /** What an assistant can be made of. */
  options: scientistProcedure.query(async ({ ctx: { scope, identity } }) => {
    const table = routingTable();
    const [routes, replicas, collections] = await Promise.all([
      table.routesOf(identity.workspaceId),
      table.replicas(),
      listCollections(scope),
    ]);
    return {
      baseModels: [...new Set(replicas.map((replica) => replica.baseModel))],
      aliases: [...routes.aliases].map(([name, servingName]) => ({ name, servingName })),
      collections: collections.map(({ collection, documentCount, chunkCount }) => ({
        id: collection.id,
        name: collection.name,
        documents: documentCount,
        chunks: chunkCount,
      })),
    };
  }),

  save: scientistProcedure.input(assistantInput).mutation(async ({ ctx: { scope, identity }, input }) => {
    const table = routingTable();
    const [routes, replicas, assistants, collections] = await Promise.all([
      table.routesOf(identity.workspaceId),
      table.replicas(),
      listAssistants(scope),
      listCollections(scope),
    ]);
    if (input.id !== undefined) await getAssistant(scope, input.id);
    const taken =
      input.name === "base" ||
      replicas.some((replica) => replica.baseModel === input.name) ||
      assistants.some((each) => each.name === input.name && each.id !== input.id);
    if (taken)
      throw new AnnealError(
        "CONFLICT",
        `There is a model or an assistant called ${JSON.stringify(input.name)} already.`,
        {
          action: "Choose another name: it is what API clients ask for.",
        },
      );
    if (input.model !== "base" && !routes.aliases.has(input.model))
      throw new AnnealError("INVALID_INPUT", `No adapter is deployed as ${JSON.stringify(input.model)}.`, {
        action: "Choose the base model, or deploy the adapter first.",
      });
    if (input.collectionId !== null && !collections.some((each) => each.collection.id === input.collectionId))
      throw new AnnealError("INVALID_INPUT", "There is no such collection of passages.", {
        action: "Choose one of the workspace's collections.",
      });
    await recordAudit(scope, {
      actor: identity.email,
      action: input.id === undefined ? "assistant.create" : "assistant.update",
      subject: `assistant:${input.name}`,
      details: { model: input.model, collectionId: input.collectionId, settings: input.settings },
    });
    const saved = await saveAssistant(scope, input);
    return { id: saved.id };
  }),

  /** Its conversations go with it. */
  remove: scientistProcedure.input(z.object({ id: z.uuid() })).mutation(async ({ ctx: { scope, identity }, input }) => {
    const assistant = await getAssistant(scope, input.id);
    await recordAudit(scope, {
      actor: identity.email,
      action: "assistant.delete",
      subject: `assistant:${assistant.name}`,
    });
    await deleteAssistant(scope, assistant.id);
  }),
});
