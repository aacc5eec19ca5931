import { randomUUID } from "node:crypto";
import { z } from "zod";
import { mayRead, principalKey, workspaceMembers, type Acl } from "@anneal/core/access/acl";
import { AnnealError } from "@anneal/core/errors";
import { requireRow } from "@anneal/db/database";
import { recordAudit } from "@anneal/db/queries/audit";
import {
  deleteSource,
  getSource,
  listRemovedSources,
  listSources,
  restoreSource,
  setSchedulePaused,
} from "@anneal/db/queries/sources";
import { findOpenSync, getSyncFailures, listSyncs } from "@anneal/db/queries/source-syncs";
import { env } from "#env.ts";
import type { Identity } from "#server/auth/identity.ts";
import { checkDraft, checkStored } from "#server/connect/check-source.ts";
import {
  accessInputSchema,
  saveChecked,
  scheduled,
  scheduleIdOf,
  sourceInputSchema,
} from "#server/connect/save-source.ts";
import {
  describeReading,
  describeSettings,
  describeSource,
  findConfigProblems,
  listSourceKinds,
} from "#server/connect/describe-kinds.ts";
import { bringsReaders, mayLackReaders } from "#server/connect/reader-settings.ts";
import { beginSignIn, pollSignIn } from "#server/connect/sign-in.ts";
import { countedFor, countsAll, directoryErrorFor, sourceErrorFor, syncFor } from "#server/connect/source-figures.ts";
import { listMissing } from "#server/connect/list-missing.ts";
import { progressOfSync } from "#server/connect/sync-progress.ts";
import { cancelSync, pauseSync, resumeSync, retryFailed, startSync } from "#server/connect/steer-sync.ts";
import { listWithheldAdapters } from "#server/deploy/withheld-adapters.ts";
import { getVisible } from "#server/documents/visible-document.ts";
import { readSchedule, setSchedule, setSchedulePaused as pauseSchedule } from "#server/schedule.ts";
import { tellIndexes } from "#server/tell-indexes.ts";
import { memberProcedure, operatorProcedure, router, scientistProcedure } from "#server/trpc.ts";

const maxPage = 1_000;

export const connectRouter = router({
  kinds: scientistProcedure.query(() => listSourceKinds()),

  /** With the numbers of documents that whoever asks may know of. */
  list: memberProcedure.query(async ({ ctx: { scope, identity } }) => {
    const sources = await listSources(scope, countedFor(identity));
    return Promise.all(sources.map((source) => toSourceView(identity, source)));
  }),

  /** What `restore` can take back, which has no time limit. */
  removed: scientistProcedure.query(async ({ ctx: { scope } }) =>
    (await listRemovedSources(scope)).map(({ config, ...source }) => ({
      ...source,
      ...describeSource(source.kind, config),
    })),
  ),

  get: memberProcedure.input(z.object({ sourceId: z.uuid() })).query(async ({ ctx: { scope, identity }, input }) => {
    const [source, sources] = await Promise.all([
      getSource(scope, input.sourceId),
      listSources(scope, countedFor(identity)),
    ]);
    const counted = requireRow(
      sources.find((each) => each.id === input.sourceId),
      "source",
      input.sourceId,
    );
    const open = await findOpenSync(scope, input.sourceId);
    const isOpen = open !== undefined && (open.status !== "running" || counted.syncing);
    return {
      ...(await toSourceView(identity, counted)),
      kindFacts: describeReading(counted.kind, source.config),
      config: source.config,
      /** What the settings are called, for those too who may not list the kinds. */
      configSchema: describeSettings(counted.kind),
      hasSecrets: source.sealedSecrets !== null,
      /** What confirming the deletions would delete: the first of it. */
      missingDocuments: await listMissing({ scope, identity }, source),
      /** A row that says it runs while nobody reads is that of a process that died. */
      openSync: isOpen ? { ...syncFor(identity, open), live: countsAll(identity) ? progressOfSync(open) : null } : null,
      /** How long what is deleted can be restored. */
      tombstoneDays: env().ANNEAL_TOMBSTONE_DAYS,
    };
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
    .query(async ({ ctx: { scope, identity }, input: { sourceId, ...page } }) => {
      const { rows, total } = await listSyncs(scope, sourceId, page);
      return { rows: rows.map((row) => syncFor(identity, row)), total };
    }),

  /** What one read could not read, of documents that this person may know of. */
  syncFailures: memberProcedure
    .input(z.object({ sourceId: z.uuid(), syncId: z.uuid() }))
    .query(async ({ ctx: { scope, identity }, input }) => {
      const failures = await getSyncFailures(scope, input.sourceId, input.syncId);
      return failures
        .filter(({ document }) => identity.role === "admin" || mayRead(document?.acl, identity.principalKeys))
        .map(({ document, ...failure }) => ({ ...failure, documentId: document?.id ?? null }));
    }),

  /** What is wrong with the settings of a source as they are typed; nothing is asked of the source. */
  validate: scientistProcedure
    .input(accessInputSchema.omit({ secrets: true, signInId: true }))
    .query(({ input: { kind, config } }) => findConfigProblems(kind, config)),

  /** Tries a stored source: what answers, and a little of what would be read. */
  check: operatorProcedure
    .input(z.object({ sourceId: z.uuid() }))
    .mutation(async ({ ctx, input, signal }) => checkStored(ctx, input.sourceId, signal)),

  /** Tries a source before it is saved, or a change of one (`sourceId`). What is saved beside its access is only looked at. */
  checkDraft: scientistProcedure
    .input(
      sourceInputSchema
        .partial({ name: true, audience: true, schedule: true })
        .extend({ sourceId: z.uuid().optional() }),
    )
    .mutation(async ({ ctx, input: { sourceId, name: _, audience: __, schedule: ___, ...access }, signal }) =>
      checkDraft(ctx, access, sourceId, signal),
    ),

  /** Asks for a code that somebody signs in with at the vendor's own page (`sourceId`: of a source that is there). */
  beginSignIn: scientistProcedure
    .input(accessInputSchema.omit({ secrets: true, signInId: true }).extend({ sourceId: z.uuid().optional() }))
    .mutation(async ({ ctx, input: { sourceId, ...access } }) => beginSignIn(ctx, access, sourceId)),

  /** Whether they are done; then the sign-in can be tried and saved with a source. */
  pollSignIn: scientistProcedure
    .input(z.object({ signInId: z.uuid() }))
    .mutation(async ({ ctx, input }) => pollSignIn(ctx, input.signInId)),

  create: scientistProcedure.input(sourceInputSchema).mutation(async ({ ctx, input }) => {
    // Never a removed one's: its documents were read from another address perhaps, and for other readers.
    const sourceId = randomUUID();
    await saveChecked(ctx, sourceId, input, undefined);
    return { sourceId, mayLackReaders: mayLackReaders(input.kind, input.config) };
  }),

  update: scientistProcedure
    .input(sourceInputSchema.extend({ sourceId: z.uuid() }))
    .mutation(async ({ ctx, input: { sourceId, ...input } }) => {
      const changes = await saveChecked(ctx, sourceId, input, await getSource(ctx.scope, sourceId));
      // An adapter keeps what it learned from the documents whose audience has just changed.
      const withheld = await listWithheldAdapters(ctx);
      return { ...changes, withheld: withheld.filter(({ aliases }) => aliases.length > 0) };
    }),

  /** A tombstone: from now on nobody finds the documents, and `restore` takes everything back. */
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
      await deleteSource(scope, source.id, async () => {
        if (source.schedule !== null) await setSchedule(scheduled(scope.workspaceId, source.id), null);
      });
      // Copies that were hidden behind its documents are to be found now.
      await tellIndexes(scope);
    }),

  restore: scientistProcedure
    .input(z.object({ sourceId: z.uuid() }))
    .mutation(async ({ ctx: { scope, identity }, input }) => {
      await recordAudit(scope, {
        actor: identity.email,
        action: "source.restore",
        subject: `source:${input.sourceId}`,
      });
      await restoreSource(scope, input.sourceId, async ({ id, schedule, schedulePaused }) => {
        if (schedule) await setSchedule(scheduled(scope.workspaceId, id), schedule, { paused: schedulePaused });
      });
      await tellIndexes(scope);
    }),

  sync: operatorProcedure
    .input(z.object({ sourceId: z.uuid(), confirmDeletions: z.boolean().default(false) }))
    .mutation(({ ctx, input }) => startSync(ctx, input)),

  pause: operatorProcedure
    .input(z.object({ sourceId: z.uuid() }))
    .mutation(({ ctx, input }) => pauseSync(ctx, input.sourceId)),

  resume: operatorProcedure
    .input(z.object({ sourceId: z.uuid() }))
    .mutation(({ ctx, input }) => resumeSync(ctx, input.sourceId)),

  cancel: operatorProcedure
    .input(z.object({ sourceId: z.uuid() }))
    .mutation(({ ctx, input }) => cancelSync(ctx, input.sourceId)),

  /** Reads again what could not be read: one document, or all of the source's. */
  retry: operatorProcedure
    .input(z.object({ sourceId: z.uuid(), documentId: z.uuid().optional() }))
    .mutation(async ({ ctx, input: { sourceId, documentId } }) => {
      if (documentId !== undefined) await getVisible(ctx, documentId);
      return retryFailed(ctx, { sourceId, documentId: documentId ?? null });
    }),

  /** The schedule stays as it is and does not fire until it is resumed. */
  setSchedulePaused: operatorProcedure
    .input(z.object({ sourceId: z.uuid(), paused: z.boolean() }))
    .mutation(async ({ ctx: { scope, identity }, input: { sourceId, paused } }) => {
      const source = await getSource(scope, sourceId);
      if (source.schedule === null)
        throw new AnnealError("CONFLICT", `“${source.name}” has no schedule.`, {
          action: "Give it one in its settings first.",
        });
      await recordAudit(scope, {
        actor: identity.email,
        action: paused ? "source.pauseSchedule" : "source.resumeSchedule",
        subject: `source:${source.id}`,
      });
      // Before the row: when the workflow service is down nothing has changed.
      await pauseSchedule(scheduleIdOf(source.id), paused, identity.email);
      await setSchedulePaused(scope, source.id, paused);
    }),
});

async function toSourceView(
  identity: Identity,
  { config, defaultAcl, ...source }: Awaited<ReturnType<typeof listSources>>[number],
) {
  const schedule = source.schedule === null ? null : await readSchedule(scheduleIdOf(source.id));
  return {
    ...source,
    ...describeSource(source.kind, config),
    lastSyncError: sourceErrorFor(identity, source.lastSyncError),
    directoryError: directoryErrorFor(identity, source.directoryError),
    audience: audienceOf(identity.workspaceId, defaultAcl),
    bringsReaders: bringsReaders(source.kind, config),
    nextSyncAt: schedule?.nextAt ?? null,
  };
}

function audienceOf(workspaceId: string, acl: Acl): "members" | "nobody" {
  return mayRead(acl, new Set([principalKey(workspaceMembers(workspaceId))])) ? "members" : "nobody";
}
