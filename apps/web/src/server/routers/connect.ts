import { randomUUID } from "node:crypto";
import { z } from "zod";
import { mayRead, nobody, principalKey, workspaceMembers, type Acl } from "@anneal/core/access/acl";
import { syncWorkflowId, syncWorkflowName, type SyncInput } from "@anneal/core/connect/contract";
import { AnnealError } from "@anneal/core/errors";
import { loopSettingsSchema } from "@anneal/core/loop/settings";
import { requireRow } from "@anneal/db/database";
import { recordAudit } from "@anneal/db/queries/audit";
import {
  deleteSource,
  findSourceByName,
  getSource,
  listSources,
  restoreSource,
  saveSource,
} from "@anneal/db/queries/connect";
import { listRuns, type Run } from "@anneal/db/queries/loop";
import { createSecretBox } from "@anneal/db/secret-box";
import { env } from "#env.ts";
import { describeSource, listSourceKinds, requireSourceKind, type SourceKind } from "#server/connect/source-kinds.ts";
import { toRunView } from "#server/loop/run-view.ts";
import type { MemberContext } from "#server/context.ts";
import { cronSchema, readSchedule, setSchedule } from "#server/schedule.ts";
import { isWorkflowRunning, startWorkflow } from "#server/temporal.ts";
import { memberProcedure, operatorProcedure, router, scientistProcedure } from "#server/trpc.ts";

const sourceInputSchema = z.object({
  name: z.string().trim().min(1).max(300),
  kind: z.string(),
  config: z.record(z.string(), z.unknown()),
  /** Left out on a change: the stored ones stay. */
  secrets: z.record(z.string(), z.string()).optional(),
  /** For documents whose source has no permissions of its own. */
  audience: z.enum(["members", "nobody"]),
  schedule: cronSchema.nullable(),
});

export const connectRouter = router({
  kinds: scientistProcedure.query(() => listSourceKinds()),

  list: memberProcedure.query(async ({ ctx: { scope } }) =>
    Promise.all((await listSources(scope)).map((source) => toSourceView(scope.workspaceId, source))),
  ),

  /** One source, with the runs that read it. */
  get: memberProcedure.input(z.object({ sourceId: z.uuid() })).query(async ({ ctx: { scope }, input }) => {
    const [{ sealedSecrets, config }, sources, runs] = await Promise.all([
      getSource(scope, input.sourceId),
      listSources(scope),
      listRuns(scope),
    ]);
    const counted = requireRow(
      sources.find((each) => each.id === input.sourceId),
      "source",
      input.sourceId,
    );
    const wasRead = ({ settings }: Run) =>
      loopSettingsSchema.parse(settings).sourceIds?.includes(input.sourceId) ?? true;
    return {
      ...(await toSourceView(scope.workspaceId, counted)),
      config,
      hasSecrets: sealedSecrets !== null,
      runs: runs.filter(wasRead).map(toRunView),
    };
  }),

  create: scientistProcedure.input(sourceInputSchema).mutation(async ({ ctx, input }) => {
    // Adding what was removed before takes it back, with its documents: the same address is the same source.
    const removed = await findSourceByName(ctx.scope, input.name);
    const sourceId = removed?.deletedAt && removed.kind === input.kind ? removed.id : randomUUID();
    if (sourceId === removed?.id) await restoreSource(ctx.scope, sourceId);
    await saveChecked(ctx, sourceId, input, { sealedSecrets: null, schedule: null });
    return { sourceId };
  }),

  update: scientistProcedure
    .input(sourceInputSchema.extend({ sourceId: z.uuid() }))
    .mutation(async ({ ctx, input: { sourceId, ...input } }) => {
      const current = await getSource(ctx.scope, sourceId);
      if (current.kind !== input.kind)
        throw new AnnealError("INVALID_INPUT", "The kind of a source cannot change.", {
          action: "Add a new source of the other kind.",
        });
      await saveChecked(ctx, sourceId, input, current);
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
      await restoreSource(scope, input.sourceId);
    }),

  sync: operatorProcedure
    .input(z.object({ sourceId: z.uuid(), confirmDeletions: z.boolean().default(false) }))
    .mutation(async ({ ctx: { scope, identity }, input }) => {
      const source = await getSource(scope, input.sourceId);
      if (await isWorkflowRunning(syncWorkflowId(source.id)))
        throw new AnnealError("ALREADY_RUNNING", `“${source.name}” is being read already.`, {
          action: "Wait until it is done.",
        });
      await recordAudit(scope, {
        actor: identity.email,
        action: "source.sync",
        subject: `source:${source.id}`,
        details: { ...input },
      });
      await startWorkflow(syncWorkflowName, syncWorkflowId(source.id), {
        workspaceId: scope.workspaceId,
        ...input,
      } satisfies SyncInput);
    }),
});

async function toSourceView(
  workspaceId: string,
  { config, defaultAcl, ...source }: Awaited<ReturnType<typeof listSources>>[number],
) {
  const [schedule, syncing] = await Promise.all([
    source.schedule === null ? null : readSchedule(scheduleIdOf(source.id)),
    isWorkflowRunning(syncWorkflowId(source.id)),
  ]);
  return {
    ...source,
    ...describeSource(source.kind, config),
    audience: audienceOf(workspaceId, defaultAcl),
    nextSyncAt: schedule?.nextAt ?? null,
    syncing,
  };
}

async function saveChecked(
  { scope, identity }: MemberContext,
  sourceId: string,
  { secrets, audience, ...source }: z.infer<typeof sourceInputSchema>,
  stored: { sealedSecrets: Buffer | null; schedule: string | null },
): Promise<void> {
  const kind = requireSourceKind(source.kind);
  const config = kind.configSchema.parse(source.config);
  requireRights(identity.role, kind, config);
  const named = await findSourceByName(scope, source.name);
  if (named && named.id !== sourceId)
    throw new AnnealError(
      "CONFLICT",
      `There ${named.deletedAt ? "was" : "is"} a source named “${source.name}” already.`,
      { action: "Choose another name." },
    );
  await recordAudit(scope, {
    actor: identity.email,
    action: "source.save",
    subject: `source:${sourceId}`,
    details: { name: source.name, kind: source.kind },
  });
  // Before the row: when the workflow service is down nothing is saved, and saving can be tried again.
  if (source.schedule !== stored.schedule) await setSchedule(scheduled(scope.workspaceId, sourceId), source.schedule);
  await saveSource(scope, {
    ...source,
    id: sourceId,
    config,
    sealedSecrets: secrets === undefined ? stored.sealedSecrets : seal(kind.secretSchema.parse(secrets), sourceId),
    defaultAcl: audience === "members" ? { allow: [workspaceMembers(scope.workspaceId)], deny: [] } : nobody,
  });
}

/** Fields that the connector marks as an administrator's keep their defaults for everyone else. */
function requireRights(role: string, kind: SourceKind, config: Record<string, unknown>): void {
  if (role === "admin") return;
  if (kind.administratorOnly)
    throw new AnnealError(
      "FORBIDDEN",
      `A ${kind.title.toLowerCase()} on the worker's machine is an administrator's to add.`,
      {
        action: "Ask an administrator to add it.",
      },
    );
  const { properties = {} } = z.toJSONSchema(kind.configSchema, { io: "input", unrepresentable: "any" }) as {
    properties?: Record<string, Record<string, unknown>>;
  };
  for (const [name, property] of Object.entries(properties)) {
    if (property.administrator === true && config[name] !== property.default)
      throw new AnnealError("FORBIDDEN", `“${String(property.title ?? name)}” is an administrator's to change.`, {
        action: "Leave it as it is, or ask an administrator.",
      });
  }
}

function seal(secrets: Record<string, unknown>, sourceId: string): Buffer | null {
  const given = Object.entries(secrets).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string" && entry[1] !== "",
  );
  if (given.length === 0) return null;
  const { ANNEAL_ENCRYPTION_KEY } = env();
  if (!ANNEAL_ENCRYPTION_KEY)
    throw new AnnealError("PREREQUISITE_MISSING", "Credentials cannot be stored without an encryption key.", {
      action: "Set ANNEAL_ENCRYPTION_KEY and restart the portal.",
    });
  return createSecretBox(ANNEAL_ENCRYPTION_KEY).seal(Object.fromEntries(given), sourceId);
}

function scheduleIdOf(sourceId: string): string {
  return `sync-schedule-${sourceId}`;
}

function scheduled(workspaceId: string, sourceId: string) {
  const input: SyncInput = { workspaceId, sourceId, confirmDeletions: false };
  return {
    scheduleId: scheduleIdOf(sourceId),
    workflowName: syncWorkflowName,
    workflowId: syncWorkflowId(sourceId),
    input,
  };
}

function audienceOf(workspaceId: string, acl: Acl): "members" | "nobody" {
  return mayRead(acl, new Set([principalKey(workspaceMembers(workspaceId))])) ? "members" : "nobody";
}
