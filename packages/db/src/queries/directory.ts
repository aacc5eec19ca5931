import { principalKey, type Principal } from "@anneal/core/access/acl";
import type { DirectoryEntry, Membership } from "@anneal/core/connect/directory";
import type { ErrorReport } from "@anneal/core/errors";
import { and, eq, gt, isNull, lte, ne, sql } from "drizzle-orm";
import { hash, randomUUID } from "node:crypto";
import { inWorkspace, requireRow, type Scope, type Transaction } from "../database.ts";
import { directoryMembers, directoryUsers, directoryWords, sources } from "../schema.ts";
import { isAtRevision, isSource, lockSource } from "./documents-of-source.ts";
import { waitsUntil } from "./source-syncs.ts";
import { storableEntry } from "./storable-entry.ts";

/** `failure`: the first of what could not be read while the rest could. */
export type DirectoryRead = { users: number; groups: number; failure: ErrorReport | null };

/** Rows of one statement: PostgreSQL takes 65,535 parameters. */
const batchRows = 1000;
/** Of a key or an address: two of them are in one index, whose entries PostgreSQL limits to some 2,700 bytes. */
const maxIndexedBytes = 1000;

/**
 * A principal's key as rows have it. A long one is a digest there: a principal that were left out could not be denied
 * anything. A `principalKey` has three colons, so that none passes for a digest.
 */
function storedKeyOf(principal: Principal): string {
  const key = principalKey(principal);
  return Buffer.byteLength(key) > maxIndexedBytes ? `sha256:${hash("sha256", key)}` : key;
}

/**
 * Puts what a source's directory says in the place of what it said before. Entries are durable as they come; what this
 * enumeration did not name is taken out only at its end, so one that breaks off takes nothing away. What a reading that
 * began later has told, of whatever source, stays.
 * @param revision of the source, when the reading began
 * @throws AnnealError NOT_FOUND once the source is removed, whose rows are gone then and stay so; CONFLICT once it has another
 * revision
 */
export async function replaceDirectory(
  scope: Scope,
  sourceId: string,
  entries: AsyncIterable<DirectoryEntry>,
  revision?: number,
): Promise<DirectoryRead> {
  const reported = { sourceId, enumeration: randomUUID(), begunAt: await readClock(scope) };
  const read: DirectoryRead = { users: 0, groups: 0, failure: null };
  for await (const told of entries) {
    if (told.type === "failure") {
      read.failure ??= told.error;
      continue;
    }
    const entry = storableEntry(told);
    if (entry === null) continue;
    if (entry.type === "user") read.users += 1;
    else read.groups += 1;
    await inWorkspace(scope, async (tx) => {
      await requireLive(tx, scope, sourceId, revision);
      if (entry.type === "user") await saveUser(tx, scope.workspaceId, reported, entry);
      else await saveGroup(tx, scope.workspaceId, reported, entry);
    });
  }
  await inWorkspace(scope, async (tx) => {
    await requireLive(tx, scope, sourceId, revision);
    for (const table of [directoryUsers, directoryMembers]) {
      await tx
        .delete(table)
        .where(
          and(
            eq(table.workspaceId, scope.workspaceId),
            eq(table.sourceId, sourceId),
            ne(table.enumeration, reported.enumeration),
          ),
        );
    }
    // No reading lasts so long that it could still contradict these.
    await tx
      .delete(directoryWords)
      .where(
        and(
          eq(directoryWords.workspaceId, scope.workspaceId),
          sql`${directoryWords.begunAt} < now() - interval '7 days'`,
        ),
      );
  });
  return read;
}

/**
 * How a reading ended; nothing where it was by settings that the source no longer has.
 * @param tookMs null where it did not come to its end: what was known before stays as it was then
 * @param revision as with `replaceDirectory`
 */
export async function recordDirectoryRead(
  scope: Scope,
  sourceId: string,
  { tookMs, error }: { tookMs: number | null; error: ErrorReport | null },
  revision?: number,
): Promise<void> {
  await inWorkspace(scope, (tx) =>
    tx
      .update(sources)
      .set({
        directoryError: error,
        ...(tookMs === null ? {} : { directoryReadAt: new Date(), directoryReadMs: Math.round(tookMs) }),
      })
      .where(and(isSource(scope, sourceId), isAtRevision(revision))),
  );
}

/** What decides whether a source's people and groups are read now. */
export async function listDirectorySources(scope: Scope) {
  return inWorkspace(scope, (tx) =>
    tx
      .select({
        id: sources.id,
        kind: sources.kind,
        readAt: sources.directoryReadAt,
        readMs: sources.directoryReadMs,
        directoryError: sources.directoryError,
        lastSyncError: sources.lastSyncError,
        waitsUntil,
      })
      .from(sources)
      .where(and(eq(sources.workspaceId, scope.workspaceId), isNull(sources.deletedAt))),
  );
}

/** In the place of the address of an account that has none, and so is nobody. */
const noAddress = "";

/** SQL: the accounts of whoever has one of the addresses. */
function areOf({ workspaceId }: Scope, emails: readonly string[]) {
  const asStored = sql.param(emails.map((email) => email.toLowerCase()));
  return sql`${directoryUsers.workspaceId} = ${workspaceId} and ${directoryUsers.email} = any(${asStored}::text[])
    and ${directoryUsers.email} <> ${noAddress}`;
}

type Reported = { sourceId: string; enumeration: string; begunAt: Date };

/** The database's, which is the same for every worker. */
async function readClock(scope: Scope): Promise<Date> {
  const { rows } = await inWorkspace(scope, (tx) => tx.execute<{ now: string }>(sql`select now()::text as now`));
  return new Date(rows[0]!.now);
}

/** Holds off its removal, and a change, until the transaction ends: what is written before it is taken out with it. */
async function requireLive(
  tx: Transaction,
  scope: Scope,
  sourceId: string,
  revision: number | undefined,
): Promise<void> {
  const source = await lockSource(scope, tx, sourceId, revision);
  requireRow(source?.deletedAt === null ? source : undefined, "source", sourceId);
}

/** Whether no reading that began later has told of it; from now on this one has. */
async function takeWord(tx: Transaction, workspaceId: string, key: string, begunAt: Date): Promise<boolean> {
  const rows = await tx
    .insert(directoryWords)
    .values({ workspaceId, key, begunAt })
    .onConflictDoUpdate({
      target: [directoryWords.workspaceId, directoryWords.key],
      set: { begunAt },
      setWhere: lte(directoryWords.begunAt, begunAt),
    })
    .returning({ key: directoryWords.key });
  return rows.length > 0;
}

/** Whether a reading that began later has told of it as a whole. */
async function isOutdated(tx: Transaction, workspaceId: string, key: string, begunAt: Date): Promise<boolean> {
  const rows = await tx
    .select({ key: directoryWords.key })
    .from(directoryWords)
    .where(
      and(
        eq(directoryWords.workspaceId, workspaceId),
        eq(directoryWords.key, key),
        gt(directoryWords.begunAt, begunAt),
      ),
    );
  return rows.length > 0;
}

async function saveUser(
  tx: Transaction,
  workspaceId: string,
  reported: Reported,
  { principal, name, emails, partial = false }: Extract<DirectoryEntry, { type: "user" }>,
): Promise<void> {
  const key = storedKeyOf(principal);
  const { begunAt, ...row } = reported;
  if (partial ? await isOutdated(tx, workspaceId, key, begunAt) : !(await takeWord(tx, workspaceId, key, begunAt)))
    return;
  const trimmed = emails.map((email) => email.trim().toLowerCase());
  // Nobody signs in with one that is longer.
  const addresses = [...new Set(trimmed)].filter(
    (email) => email !== "" && Buffer.byteLength(email) <= maxIndexedBytes,
  );
  // Of one without an address the name is kept: its documents tell whom they belong to.
  const kept = addresses.length > 0 || partial ? addresses : [noAddress];
  if (kept.length > 0) {
    await tx
      .insert(directoryUsers)
      .values(kept.map((email) => ({ workspaceId, ...row, key, principal, name, email })))
      .onConflictDoUpdate({
        target: [directoryUsers.workspaceId, directoryUsers.key, directoryUsers.email],
        set: { ...row, name },
        // What another source has of it stays that source's, and there when this one is gone.
        ...(partial ? { setWhere: eq(directoryUsers.sourceId, reported.sourceId) } : {}),
      });
  }
  // An address that the account no longer has must not speak for it, whichever source reported it; but a source that was
  // told some only knows of its own.
  await tx
    .delete(directoryUsers)
    .where(
      and(
        eq(directoryUsers.workspaceId, workspaceId),
        eq(directoryUsers.key, key),
        ...(partial ? [eq(directoryUsers.sourceId, reported.sourceId)] : []),
        ne(directoryUsers.enumeration, reported.enumeration),
      ),
    );
}

async function saveGroup(
  tx: Transaction,
  workspaceId: string,
  reported: Reported,
  { principal, name, members }: Extract<DirectoryEntry, { type: "group" }>,
): Promise<void> {
  const groupKey = storedKeyOf(principal);
  const { begunAt, ...row } = reported;
  if (!(await takeWord(tx, workspaceId, groupKey, begunAt))) return;
  const keys = [...new Set(members.map(storedKeyOf))];
  for (let at = 0; at < keys.length; at += batchRows) {
    const rows = keys.slice(at, at + batchRows).map((memberKey) => ({
      workspaceId,
      ...row,
      groupKey,
      group: principal,
      groupName: name,
      memberKey,
    }));
    await tx
      .insert(directoryMembers)
      .values(rows)
      .onConflictDoUpdate({
        target: [directoryMembers.workspaceId, directoryMembers.groupKey, directoryMembers.memberKey],
        set: { ...row, groupName: name },
      });
  }
  await tx
    .delete(directoryMembers)
    .where(
      and(
        eq(directoryMembers.workspaceId, workspaceId),
        eq(directoryMembers.groupKey, groupKey),
        ne(directoryMembers.enumeration, reported.enumeration),
      ),
    );
}

/**
 * What a person holds in the workspace's sources: their accounts, by verified address, and every group that these are
 * in, directly or through others. Groups that contain each other end the search like any other.
 * @param email as the portal has verified it
 */
export async function listHeldPrincipals(scope: Scope, email: string): Promise<Principal[]> {
  const { rows } = await inWorkspace(scope, (tx) =>
    tx.execute<{ principal: Principal }>(sql`
      with recursive held(key, principal) as (
        select ${directoryUsers.key}, ${directoryUsers.principal} from ${directoryUsers}
        where ${areOf(scope, [email])}
        union
        select ${directoryMembers.groupKey}, ${directoryMembers.group} from ${directoryMembers}
        join held on ${directoryMembers.memberKey} = held.key
        where ${directoryMembers.workspaceId} = ${scope.workspaceId}
      )
      select principal from held`),
  );
  return rows.map(({ principal }) => principal);
}

/**
 * The same of several people, by their address, with the steps that lead there, the shortest way first: to tell why somebody may
 * read. Of groups only those that are asked about and those in them: each of many people may be in hundreds, of which a
 * document names few.
 */
export async function listMemberships(
  scope: Scope,
  emails: readonly string[],
  about: readonly Principal[],
): Promise<ReadonlyMap<string, Membership[]>> {
  const { rows } = await inWorkspace(scope, async (tx) => {
    const groups = await listNestedKeys(tx, scope, about);
    return tx.execute<{ email: string; group: Principal; name: string; through: Principal | null }>(sql`
      with recursive held(email, key, principal, name, through, depth) as (
        select ${directoryUsers.email}, ${directoryUsers.key}, ${directoryUsers.principal}, ${directoryUsers.name}, null::jsonb, 0
        from ${directoryUsers}
        where ${areOf(scope, emails)}
        union
        select held.email, ${directoryMembers.groupKey}, ${directoryMembers.group}, ${directoryMembers.groupName}, held.principal, held.depth + 1
        from ${directoryMembers} join held on ${directoryMembers.memberKey} = held.key
        where ${directoryMembers.workspaceId} = ${scope.workspaceId} and held.depth < 32
          and ${directoryMembers.groupKey} = any(${sql.param(groups)}::text[])
      )
      select distinct on (email, key) email, principal as "group", name, through from held order by email, key, depth`);
  });
  const held = Map.groupBy(rows, ({ email }) => email);
  return new Map(
    emails.map((email) => [
      email,
      (held.get(email.toLowerCase()) ?? []).map(({ group, name, through }) => ({
        group,
        name,
        throughKey: through === null ? null : principalKey(through),
      })),
    ]),
  );
}

/** The keys of these, and of every group that is in one of them, directly or through others. */
async function listNestedKeys(
  tx: Transaction,
  { workspaceId }: Scope,
  principals: readonly Principal[],
): Promise<string[]> {
  const { rows } = await tx.execute<{ key: string }>(sql`
    with recursive nested(key) as (
      select unnest(${sql.param(principals.map(storedKeyOf))}::text[])
      union
      select ${directoryMembers.memberKey} from ${directoryMembers} join nested on ${directoryMembers.groupKey} = nested.key
      where ${directoryMembers.workspaceId} = ${workspaceId}
        and exists (
          select from ${directoryMembers} inner_members
          where inner_members.workspace_id = ${workspaceId} and inner_members.group_key = ${directoryMembers.memberKey}
        )
    )
    select key from nested`);
  return rows.map(({ key }) => key);
}

/** How the workspace's sources call these, by `principalKey`; who has no name there, or only an id for one, is left out. */
export async function listPrincipalNames(
  scope: Scope,
  principals: readonly Principal[],
): Promise<ReadonlyMap<string, string>> {
  const byStoredKey = new Map(principals.map((principal) => [storedKeyOf(principal), principal]));
  const keys = sql`${sql.param([...byStoredKey.keys()])}::text[]`;
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .selectDistinct({ key: directoryUsers.key, name: directoryUsers.name })
      .from(directoryUsers)
      .where(and(eq(directoryUsers.workspaceId, scope.workspaceId), sql`${directoryUsers.key} = any(${keys})`))
      .union(
        tx
          .selectDistinct({ key: directoryMembers.groupKey, name: directoryMembers.groupName })
          .from(directoryMembers)
          .where(
            and(eq(directoryMembers.workspaceId, scope.workspaceId), sql`${directoryMembers.groupKey} = any(${keys})`),
          ),
      ),
  );
  return new Map(
    rows.flatMap(({ key, name }) => {
      const principal = byStoredKey.get(key);
      return principal === undefined || name === "" || name === principal.id ? [] : [[principalKey(principal), name]];
    }),
  );
}
