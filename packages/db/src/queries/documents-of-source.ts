import { hash } from "node:crypto";
import type { Acl } from "@anneal/core/access/acl";
import { digestOrigins, splitOrigins, type SourceAcl } from "@anneal/core/access/acl-origins";
import type { SourceItem } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import { and, asc, eq, isNull, ne, sql, type SQL } from "drizzle-orm";
import { inWorkspace, type Scope, type Transaction } from "../database.ts";
import { documents, sources } from "../schema.ts";
import { byCodePoint, hasOneOf, refColumns } from "./refs.ts";

// What writing a source's documents has in common. Whoever locks several things does it in the order source, documents
// by their ids, contents: whoever keeps to it never waits for somebody who waits for them. What changes all documents of a
// source at once (its audience, its removal) takes them as it finds them, and PostgreSQL may have to break a tie.

export const isSource = (scope: Scope, sourceId: string) =>
  and(eq(sources.id, sourceId), eq(sources.workspaceId, scope.workspaceId));
export const ofSource = (scope: Scope, sourceId: string) =>
  and(eq(documents.sourceId, sourceId), eq(documents.workspaceId, scope.workspaceId));
/** What the source decides about: neither deleted nor kept by a person after it was. */
export const followsSource = and(isNull(documents.deletedAt), isNull(documents.restoredAt));

/** SQL: whoever stores content shares it, whoever removes content that no document has any more holds it alone. */
export const contentLock = (contentKey: string | SQL) => sql`hashtextextended('content:' || ${contentKey}::text, 0)`;

/** @param given null: whom the source's default admits */
export function audienceColumns(given: SourceAcl | null, defaultAcl: Acl) {
  if (given === null) return { acl: defaultAcl, aclInherited: true, aclOrigins: null };
  const { acl, origins } = splitOrigins(given);
  const digest = digestOrigins(given, (text) => hash("sha256", text)) ?? undefined;
  return { acl, aclInherited: false, aclOrigins: origins && { ...origins, digest } };
}

export function itemColumns(item: SourceItem, defaultAcl: Acl) {
  return {
    ...refColumns(item.ref),
    uri: item.uri,
    title: item.title ?? item.ref,
    mediaType: item.mediaType,
    sizeBytes: item.sizeBytes,
    fingerprint: item.fingerprint,
    ...audienceColumns(item.acl, defaultAcl),
    sourceModifiedAt: item.modifiedAt === null ? null : timeOf(item.modifiedAt),
  };
}

/** A source may claim a time that no calendar has, or none that a database has. */
function timeOf(modifiedAt: string): Date | null {
  const time = new Date(modifiedAt);
  const year = time.getUTCFullYear();
  return year >= 1 && year <= 9999 ? time : null;
}

/** SQL: from now on nothing is written any more by a reading that began before. */
export const nextRevision = sql`${sources.revision} + 1`;

/** @param revision which a reading began with; undefined for whoever writes without having read by the source's settings */
export const isAtRevision = (revision: number | undefined) =>
  revision === undefined ? undefined : eq(sources.revision, revision);

/** @throws AnnealError CONFLICT where the revision is another one by now */
export function requireRevision(source: { name: string; revision: number }, revision: number | undefined): void {
  if (revision !== undefined && source.revision !== revision) throw changedWhileRead(source.name);
}

/** Whoever tries again begins with the settings, and the position, that count now. */
function changedWhileRead(name: string): AnnealError {
  return new AnnealError("CONFLICT", `“${name}” was changed while it was read, so that reading has ended.`, {
    action: "Nothing is to be done: it is read anew with the settings that it has now. If it is not, read it now.",
    retryable: true,
  });
}

/**
 * A change and a removal of the source wait for this transaction, or are seen by it.
 * @returns undefined where the workspace has no such source
 * @throws AnnealError CONFLICT when it is no longer at `revision`
 */
export async function lockSource(scope: Scope, tx: Transaction, sourceId: string, revision: number | undefined) {
  const { name, defaultAcl, deletedAt } = sources;
  const [source] = await tx
    .select({ name, defaultAcl, deletedAt, revision: sources.revision })
    .from(sources)
    .where(isSource(scope, sourceId))
    .for("share");
  if (source !== undefined) requireRevision(source, revision);
  return source;
}

/**
 * As `lockSource`. Of one that was removed nothing is written: its documents come back as they were, and what a sync wrote of
 * them meanwhile would be gone past.
 * @throws AnnealError SOURCE_NOT_FOUND when the source was removed
 */
export async function lockLiveSource(scope: Scope, tx: Transaction, sourceId: string, revision: number | undefined) {
  const source = await lockSource(scope, tx, sourceId, revision);
  if (source !== undefined && source.deletedAt !== null) throw removedWhileRead(source.name);
  return source;
}

/**
 * The ACL of documents without one of their own, as it is now and not as it was when the sync began. As `lockLiveSource`
 * otherwise, also for a source that the workspace does not have.
 */
export async function lockDefaultAcl(
  scope: Scope,
  tx: Transaction,
  sourceId: string,
  revision: number | undefined,
): Promise<Acl> {
  const source = await lockLiveSource(scope, tx, sourceId, revision);
  if (source !== undefined) return source.defaultAcl;
  throw removedWhileRead(sourceId);
}

export function removedWhileRead(name: string): AnnealError {
  return new AnnealError("SOURCE_NOT_FOUND", `The source “${name}” was removed while it was read.`, {
    action: "Take it back, then read it again.",
  });
}

/** Those of these documents that the source decides about and of which something is held, in the order of their refs. */
export async function listHeldDocuments(scope: Scope, sourceId: string, refs: readonly string[]) {
  return inWorkspace(scope, (tx) =>
    tx
      .select({ id: documents.id, ref: documents.ref, title: documents.title, acl: documents.acl })
      .from(documents)
      .where(and(ofSource(scope, sourceId), hasOneOf(refs), followsSource, ne(documents.contentKey, "")))
      .orderBy(asc(byCodePoint)),
  );
}
