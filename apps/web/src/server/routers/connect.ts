import { randomUUID } from "node:crypto";
import { WorkflowExecutionAlreadyStartedError } from "@temporalio/client";
import { z } from "zod";
import { mayRead, principalKey, workspaceMembers, type Acl } from "@anneal/core/access/acl";
import { syncWorkflowId, syncWorkflowName, type SyncInput } from "@anneal/core/connect/contract";
import { AnnealError } from "@anneal/core/errors";
import { requireRow } from "@anneal/db/database";
import { recordAudit } from "@anneal/db/queries/audit";
import {
  deleteSource,
  findSourceByName,
  getSource,
  listRemovedSources,
  listSources,
  restoreSource,
} from "@anneal/db/queries/connect";
import { findRunningSync, listSyncs } from "@anneal/db/queries/source-syncs";
import { checkDraft, checkStored } from "#server/connect/check-source.ts";
import {
  accessInputSchema,
  saveChecked,
  scheduled,
  scheduleIdOf,
  sourceInputSchema,
} from "#server/connect/save-source.ts";
import { describeSource, listSourceKinds } from "#server/connect/source-kinds.ts";
import { listWithheldAdapters } from "#server/deploy/withheld-adapters.ts";
import { readSchedule, setSchedule } from "#server/schedule.ts";
import { startWorkflow } from "#server/temporal.ts";
import { memberProcedure, operatorProcedure, router, scientistProcedure } from "#server/trpc.ts";

const maxPage = 1_000;

export const connectRouter = router({
  kinds: scientistProcedure.query(() => listSourceKinds()),

  list: memberProcedure.query(async ({ ctx: { scope } }) =>
    Promise.all((await listSources(scope)).map((source) => toSourceView(scope.workspaceId, source))),
  ),

  /** What `restore` can take back, which has no time limit. */
  removed: scientistProcedure.query(async ({ ctx: { scope } }) =>
    (await listRemovedSources(scope)).map(({ config, ...source }) => ({
      ...source,
      ...describeSource(source.kind, config),
    })),
  ),

  get: memberProcedure.input(z.object({ sourceId: z.uuid() })).query(async ({ ctx: { scope }, input }) => {
    const [{ sealedSecrets, config }, sources] = await Promise.all([
      getSource(scope, input.sourceId),
      listSources(scope),
    ]);
    const counted = requireRow(
      sources.find((each) => each.id === input.sourceId),
      "source",
      input.sourceId,
    );
    return { ...(await toSourceView(scope.workspaceId, counted)), config, hasSecrets: sealedSecrets !== null };
  }),

  /** Every time that the source was read: by hand, by its schedule, within a run. */
  syncs: memberProcedure
    .input(
      z.object({
        sourceId: z.uuid(),
        limit: z.number().int().min(1).max(maxPage),
        offset: z.number().int().min(0),
      }),
    )
    .query(async ({ ctx: { scope }, input: { sourceId, ...page } }) => listSyncs(scope, sourceId, page)),

  /** Tries a stored source: what answers, and a little of what would be read. */
  check: operatorProcedure
    .input(z.object({ sourceId: z.uuid() }))
    .mutation(async ({ ctx, input }) => checkStored(ctx, input.sourceId)),

  /** Tries a source before it is saved, or a change of one (`sourceId`). */
  checkDraft: scientistProcedure
    .input(accessInputSchema.extend({ sourceId: z.uuid().optional() }))
    .mutation(async ({ ctx, input: { sourceId, ...access } }) => checkDraft(ctx, access, sourceId)),

  create: scientistProcedure.input(sourceInputSchema).mutation(async ({ ctx, input }) => {
    // Adding what was removed before takes it back, with its documents: the same address is the same source.
    const removed = await findSourceByName(ctx.scope, input.name);
    const sourceId = removed?.deletedAt && removed.kind === input.kind ? removed.id : randomUUID();
    await saveChecked(ctx, sourceId, input, undefined);
    return { sourceId };
  }),

  update: scientistProcedure
    .input(sourceInputSchema.extend({ sourceId: z.uuid() }))
    .mutation(async ({ ctx, input: { sourceId, ...input } }) => {
      await saveChecked(ctx, sourceId, input, await getSource(ctx.scope, sourceId));
      // An adapter keeps what it learned from the documents whose audience has just changed.
      const withheld = await listWithheldAdapters(ctx);
      return { withheld: withheld.filter(({ aliases }) => aliases.length > 0) };
    }),

  /** A tombstone: the documents leave the index with the next run, and `restore` takes everything back. */
  remove: scientistProcedure
    .input(z.object({ sourceId: z.uuid() }))
    .mutation(async ({ ctx: { scope, identity }, input }) => {
      const source = await getSource(scope, input.sourceId);
      await recordAudit(scope, {
        actor: identity.email,
        action: "source.remove",
        subject: `source:${source.id}`,
        details: { name: source.name },
      });
      if (source.schedule !== null) await setSchedule(scheduled(scope.workspaceId, source.id), null);
      await deleteSource(scope, source.id);
    }),

  restore: scientistProcedure
    .input(z.object({ sourceId: z.uuid() }))
    .mutation(async ({ ctx: { scope, identity }, input }) => {
      await recordAudit(scope, {
        actor: identity.email,
        action: "source.restore",
        subject: `source:${input.sourceId}`,
      });
      const source = await restoreSource(scope, input.sourceId);
      if (source?.schedule) await setSchedule(scheduled(scope.workspaceId, source.id), source.schedule);
    }),

  sync: operatorProcedure
    .input(z.object({ sourceId: z.uuid(), confirmDeletions: z.boolean().default(false) }))
    .mutation(async ({ ctx: { scope, identity }, input }) => {
      const source = await getSource(scope, input.sourceId);
      const sources = await listSources(scope);
      if (sources.some(({ id, syncing }) => id === source.id && syncing))
        throw beingRead(source.name, (await findRunningSync(scope, source.id))?.startedBy);
      await recordAudit(scope, {
        actor: identity.email,
        action: "source.sync",
        subject: `source:${source.id}`,
        details: { ...input },
      });
      const work: SyncInput = { workspaceId: scope.workspaceId, ...input, startedBy: identity.email };
      try {
        await startWorkflow(syncWorkflowName, syncWorkflowId(source.id), work);
      } catch (error) {
        throw error instanceof WorkflowExecutionAlreadyStartedError ? beingRead(source.name) : error;
      }
    }),
});

function beingRead(name: string, startedBy?: string): AnnealError {
  const who = startedBy === undefined ? "" : `, started by ${startedBy === "schedule" ? "its schedule" : startedBy}`;
  return new AnnealError("ALREADY_RUNNING", `“${name}” is being read already${who}.`, {
    action: "Wait until it is done.",
  });
}

async function toSourceView(
  workspaceId: string,
  { config, defaultAcl, ...source }: Awaited<ReturnType<typeof listSources>>[number],
) {
  const schedule = source.schedule === null ? null : await readSchedule(scheduleIdOf(source.id));
  return {
    ...source,
    ...describeSource(source.kind, config),
    audience: audienceOf(workspaceId, defaultAcl),
    nextSyncAt: schedule?.nextAt ?? null,
  };
}

function audienceOf(workspaceId: string, acl: Acl): "members" | "nobody" {
  return mayRead(acl, new Set([principalKey(workspaceMembers(workspaceId))])) ? "members" : "nobody";
}
