import { z } from "zod";
import { nobody, workspaceMembers } from "@anneal/core/access/acl";
import { syncWorkflowId, syncWorkflowName, type SyncInput } from "@anneal/core/connect/contract";
import { AnnealError } from "@anneal/core/errors";
import { recordAudit } from "@anneal/db/queries/audit";
import { findSourceByName, restoreSource, saveSource, type Source } from "@anneal/db/queries/connect";
import { secretBox } from "#server/connect/secret-box.ts";
import { requireSourceKind, type SourceKind } from "#server/connect/source-kinds.ts";
import type { MemberContext } from "#server/context.ts";
import { cronSchema, setSchedule } from "#server/schedule.ts";

/** Where a source is and how to get in. */
export const accessInputSchema = z.object({
  kind: z.string(),
  config: z.record(z.string(), z.unknown()),
  /** Left out on a change: the stored ones stay. */
  secrets: z.record(z.string(), z.string()).optional(),
});
export type AccessInput = z.infer<typeof accessInputSchema>;

export const sourceInputSchema = accessInputSchema.extend({
  name: z.string().trim().min(1).max(300),
  /** For documents whose source has no permissions of its own. */
  audience: z.enum(["members", "nobody"]),
  schedule: cronSchema.nullable(),
});
export type SourceInput = z.infer<typeof sourceInputSchema>;

/** @param stored what is changed; undefined for a new source */
export async function saveChecked(
  { scope, identity }: MemberContext,
  sourceId: string,
  { secrets, audience, ...source }: SourceInput,
  stored: Source | undefined,
): Promise<void> {
  const access = await openAccess(identity.role, { ...source, secrets }, stored, sourceId);
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
    details: { name: source.name, kind: source.kind, audience },
  });
  // Before the row: when the workflow service is down nothing is saved, and saving can be tried again.
  const schedulePaused = source.schedule !== null && (stored?.schedulePaused ?? false);
  if (source.schedule !== (stored?.schedule ?? null))
    await setSchedule(scheduled(scope.workspaceId, sourceId), source.schedule, { paused: schedulePaused });
  // A removed one comes back with its documents; of any other this does nothing.
  await restoreSource(scope, sourceId);
  await saveSource(scope, {
    ...source,
    id: sourceId,
    config: access.config,
    sealedSecrets: access.sealedSecrets,
    schedulePaused,
    defaultAcl: audience === "members" ? { allow: [workspaceMembers(scope.workspaceId)], deny: [] } : nobody,
  });
}

/**
 * What a person entered, as a connector takes it.
 * @param sealFor the row that new secrets are bound to
 * @returns `sealedFor` names the row that the secrets are bound to: the stored source's, where they were left out
 */
export async function openAccess(
  role: string,
  { kind: kindName, config: entered, secrets }: AccessInput,
  stored: Pick<Source, "id" | "kind" | "config" | "sealedSecrets"> | undefined,
  sealFor: string,
): Promise<{ kind: string; config: Record<string, unknown>; sealedSecrets: Buffer | null; sealedFor: string }> {
  if (stored && stored.kind !== kindName)
    throw new AnnealError("INVALID_INPUT", "The kind of a source cannot change.", {
      action: "Add a new source of the other kind.",
    });
  const kind = requireSourceKind(kindName);
  const config = kind.configSchema.parse(entered);
  requireRights(role, kind, config);
  if (secrets !== undefined) {
    const sealedSecrets = await seal(kind.secretSchema.parse(secrets), sealFor);
    return { kind: kindName, config, sealedSecrets, sealedFor: sealFor };
  }
  const sealedSecrets = stored?.sealedSecrets ?? null;
  // Nobody sees stored credentials again; whoever may change the address must not be able to have them sent there.
  if (stored && sealedSecrets !== null && kind.secretsGoTo(config) !== kind.secretsGoTo(stored.config))
    throw new AnnealError(
      "INVALID_INPUT",
      `The stored credentials were given for ${kind.secretsGoTo(stored.config)}, and this is ${kind.secretsGoTo(config)}.`,
      { action: "Enter the credentials again." },
    );
  return { kind: kindName, config, sealedSecrets, sealedFor: stored?.id ?? sealFor };
}

/** Fields that the connector marks as an administrator's keep their defaults for everyone else. */
function requireRights(role: string, kind: SourceKind, config: Record<string, unknown>): void {
  if (role === "admin") return;
  if (kind.administratorOnly)
    throw new AnnealError(
      "FORBIDDEN",
      `A ${kind.title.toLowerCase()} on the worker's machine is an administrator's to add.`,
      { action: "Ask an administrator to add it." },
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

async function seal(secrets: Record<string, unknown>, purpose: string): Promise<Buffer | null> {
  const given = Object.entries(secrets).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string" && entry[1] !== "",
  );
  if (given.length === 0) return null;
  return (await secretBox()).seal(Object.fromEntries(given), purpose);
}

export function scheduleIdOf(sourceId: string): string {
  return `sync-schedule-${sourceId}`;
}

export function scheduled(workspaceId: string, sourceId: string) {
  const input: SyncInput = { workspaceId, sourceId, confirmDeletions: false, startedBy: "schedule" };
  return {
    scheduleId: scheduleIdOf(sourceId),
    workflowName: syncWorkflowName,
    workflowId: syncWorkflowId(sourceId),
    input,
  };
}
