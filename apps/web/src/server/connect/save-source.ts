import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { nobody, workspaceMembers } from "@anneal/core/access/acl";
import { findOutgrownWords } from "@anneal/core/connect/administrators-word";
import { syncWorkflowId, syncWorkflowName, type SyncInput } from "@anneal/core/connect/contract";
import { AnnealError } from "@anneal/core/errors";
import { recordAudit } from "@anneal/db/queries/audit";
import { findSourceByName, saveSource, type Source } from "@anneal/db/queries/sources";
import { takeDraft } from "@anneal/db/queries/source-drafts";
import { secretBox } from "#server/connect/secret-box.ts";
import { requireFinishedSignIn } from "#server/connect/finished-sign-in.ts";
import { describeSchema } from "#server/connect/describe-kinds.ts";
import { hasOtherPeople, partsWithOtherReaders } from "#server/connect/reader-settings.ts";
import { requireSourceKind, type SourceKind } from "#server/connect/source-kinds.ts";
import type { MemberContext } from "#server/context.ts";
import { cronSchema, setSchedule } from "#server/schedule.ts";
import { tellIndexes } from "#server/tell-indexes.ts";

/** Where a source is and how to get in. */
export const accessInputSchema = z.object({
  kind: z.string(),
  config: z.record(z.string(), z.unknown()),
  /** Left out on a change: the stored ones stay. */
  secrets: z.record(z.string(), z.string()).optional(),
  /** A finished sign-in, whose credentials take the place of `secrets`. */
  signInId: z.uuid().optional(),
});
export type AccessInput = z.infer<typeof accessInputSchema>;

export const sourceInputSchema = accessInputSchema.extend({
  name: z.string().trim().min(1).max(300),
  /** For documents whose source has no permissions of its own. */
  audience: z.enum(["members", "nobody"]),
  schedule: cronSchema.nullable(),
});
export type SourceInput = z.infer<typeof sourceInputSchema>;

/**
 * @param stored what is changed; undefined for a new source
 * @returns whether it leads to another address from now on, or may by other credentials; whether other settings say now who
 * reads documents; and whether others say who people are: nobody sees until it is read again what was read under the old
 * ones (`saveSource`)
 */
export async function saveChecked(
  { scope, identity }: MemberContext,
  sourceId: string,
  { secrets, signInId, audience, ...source }: SourceInput,
  stored: Source | undefined,
): Promise<{ isElsewhere: boolean; hasOtherReaders: boolean; hasOtherPeople: boolean }> {
  const signIn = signInId === undefined ? undefined : await requireFinishedSignIn(scope, signInId);
  const access = await openAccess(identity.role, { ...source, secrets }, stored, sourceId, signIn);
  const named = await findSourceByName(scope, source.name);
  if (named && named.id !== sourceId && named.deletedAt === null)
    throw new AnnealError("CONFLICT", `There is a source named “${source.name}” already.`, {
      action: "Choose another name.",
    });
  await recordAudit(scope, {
    actor: identity.email,
    action: "source.save",
    subject: `source:${sourceId}`,
    details: { name: source.name, kind: source.kind, audience, ...(signIn ? { account: signIn.account } : {}) },
  });
  // Before the row: when the workflow service is down nothing is saved, and saving can be tried again.
  const schedulePaused = source.schedule !== null && (stored?.schedulePaused ?? false);
  if (source.schedule !== (stored?.schedule ?? null))
    await setSchedule(scheduled(scope.workspaceId, sourceId), source.schedule, { paused: schedulePaused });
  const givesSecrets = secrets !== undefined || signIn !== undefined;
  const keepsSecrets = stored !== undefined && (!givesSecrets || (await isStored(access, stored)));
  const isElsewhere = stored !== undefined && !isSamePlace(source.kind, access.config, stored.config, keepsSecrets);
  const otherParts = stored === undefined ? [] : partsWithOtherReaders(source.kind, access.config, stored.config);
  const otherPeople = stored !== undefined && hasOtherPeople(source.kind, access.config, stored.config);
  await saveSource(scope, {
    ...source,
    id: sourceId,
    config: access.config,
    ...(stored === undefined ? {} : { checkedConfig: stored.config }),
    ...(keepsSecrets ? {} : await newSecrets(access, sourceId)),
    schedulePaused,
    isElsewhere,
    partsWithOtherReaders: otherParts,
    hasOtherPeople: otherPeople,
    defaultAcl: audience === "members" ? { allow: [workspaceMembers(scope.workspaceId)], deny: [] } : nobody,
  });
  // It has nothing left to lend.
  if (signIn) await takeDraft(scope, signIn.id);
  // Its documents may have another audience now.
  await tellIndexes(scope);
  return { isElsewhere, hasOtherReaders: otherParts.length > 0, hasOtherPeople: otherPeople };
}

/** Whether what was read there is what is read here. */
function isSamePlace(
  kindName: string,
  config: Record<string, unknown>,
  before: Record<string, unknown>,
  keepsSecrets: boolean,
): boolean {
  const { locate, secretsGoTo, account = () => "" } = requireSourceKind(kindName);
  const isSameAccount = account(config) === account(before) && (keepsSecrets || account(config) !== null);
  return isSameAccount && locate(config) === locate(before) && secretsGoTo(config) === secretsGoTo(before);
}

type Access = Awaited<ReturnType<typeof openAccess>>;

/** Whether what was entered is what the source has: whoever reads with it may go on. */
async function isStored({ sealedSecrets, sealedFor }: Access, stored: Source): Promise<boolean> {
  if (sealedSecrets === null || stored.sealedSecrets === null) return sealedSecrets === stored.sealedSecrets;
  const box = await secretBox();
  const entered = box.open(sealedSecrets, sealedFor);
  try {
    return isDeepStrictEqual(entered, box.open(stored.sealedSecrets, stored.id));
  } catch {
    // Its key is gone, which entering them again is the way out of.
    return false;
  }
}

/** Whatever is lent is bound anew. What is stored stays untouched where nothing was entered: a sync may be renewing it. */
async function newSecrets(
  { sealedSecrets, sealedFor }: Access,
  sourceId: string,
): Promise<{ sealedSecrets: Buffer | null }> {
  if (sealedSecrets === null || sealedFor === sourceId) return { sealedSecrets };
  const box = await secretBox();
  return { sealedSecrets: box.seal(box.open(sealedSecrets, sealedFor), sourceId) };
}

/**
 * What a person entered, as a connector takes it.
 * @param sealFor the row that new secrets are bound to
 * @param signIn a finished one, whose credentials are used instead of the stored ones
 * @returns `sealedFor` names the row that the secrets are bound to: whose they are, where none were entered
 */
export async function openAccess(
  role: string,
  { kind: kindName, config: entered, secrets }: Pick<AccessInput, "kind" | "config" | "secrets">,
  stored: CredentialRow | undefined,
  sealFor: string,
  signIn?: CredentialRow,
): Promise<{ kind: string; config: Record<string, unknown>; sealedSecrets: Buffer | null; sealedFor: string }> {
  if (stored && stored.kind !== kindName)
    throw new AnnealError("INVALID_INPUT", "The kind of a source cannot change.", {
      action: "Add a new source of the other kind.",
    });
  if (signIn && signIn.kind !== kindName)
    throw new AnnealError("INVALID_INPUT", "The sign-in was for a source of another kind.", {
      action: "Sign in again for this one.",
    });
  const kind = requireSourceKind(kindName);
  const config = kind.configSchema.parse(entered);
  refuseLack(kind, config, stored?.config);
  const entersSecrets = secrets !== undefined || signIn !== undefined;
  requireRights(role, kind, config, entersSecrets ? undefined : stored?.config);
  if (secrets !== undefined) {
    const sealedSecrets = await seal(kind.secretSchema.parse(secrets), sealFor);
    return { kind: kindName, config, sealedSecrets, sealedFor: sealFor };
  }
  const lender = signIn ?? stored;
  const sealedSecrets = lender?.sealedSecrets ?? null;
  // Nobody sees stored credentials again; whoever may change the address must not be able to have them sent there.
  if (lender && sealedSecrets !== null && kind.secretsGoTo(config) !== kind.secretsGoTo(lender.config))
    throw new AnnealError(
      "INVALID_INPUT",
      `The ${signIn ? "sign-in was" : "stored credentials were given"} for ${kind.secretsGoTo(lender.config)}, and this is ${kind.secretsGoTo(config)}.`,
      { action: kind.signIn ? "Sign in again, or enter the credentials again." : "Enter the credentials again." },
    );
  return { kind: kindName, config, sealedSecrets, sealedFor: lender?.id ?? sealFor };
}

/** A row that credentials are bound to. */
type CredentialRow = Pick<Source, "id" | "kind" | "config" | "sealedSecrets">;

/** What is stored without may stay so: it can still be renamed, and closed to its readers. */
function refuseLack(
  { facts, configSchema }: SourceKind,
  config: Record<string, unknown>,
  stored: Record<string, unknown> | undefined,
): void {
  const lack = facts.findLack?.(config);
  const before = stored && configSchema.safeParse(stored).data;
  if (!lack || (before && facts.findLack?.(before)?.field === lack.field)) return;
  const { properties = {} } = describeSchema(configSchema);
  throw new AnnealError(
    "INVALID_INPUT",
    `“${properties[lack.field]?.title ?? lack.field}” is missing. ${lack.message}`,
    {
      action: `Enter it (on the command line: --set ${lack.field}=…), or do not read the permissions of the source.`,
      details: { field: lack.field },
    },
  );
}

/**
 * Fields that the connector marks as an administrator's keep their defaults for everyone else, or what an administrator
 * has set, while the source leads to the same place with the same credentials, which may name a server as well, and to
 * nothing there that the administrator's word is not about.
 */
function requireRights(
  role: string,
  kind: SourceKind,
  config: Record<string, unknown>,
  stored: Record<string, unknown> | undefined,
): void {
  if (role === "admin") return;
  if (kind.administratorOnly)
    throw new AnnealError(
      "FORBIDDEN",
      `A ${kind.title.toLowerCase()} on the worker's machine is an administrator's to add.`,
      { action: "Ask an administrator to add it." },
    );
  const { properties = {} } = describeSchema(kind.configSchema);
  const kept = stored && kind.secretsGoTo(config) === kind.secretsGoTo(stored) ? stored : {};
  for (const [name, property] of Object.entries(properties)) {
    const isSet = config[name] !== property.default && config[name] !== kept[name];
    if (property.administrator === true && isSet)
      throw new AnnealError("FORBIDDEN", `“${String(property.title ?? name)}” is an administrator's to change.`, {
        action: "Set it back to what a new source has, or ask an administrator.",
      });
  }
  const [outgrown] = findOutgrownWords(properties, config, kept);
  if (outgrown)
    throw new AnnealError("FORBIDDEN", outgrown.message, {
      action: outgrown.action,
      details: { field: outgrown.field },
    });
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
