import type { Acl } from "@anneal/core/access/acl";
import { splitOrigins, type SourceAcl } from "@anneal/core/access/acl-origins";
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
  const own = given === null ? null : splitOrigins(given);
  return { acl: own?.acl ?? defaultAcl, aclInherited: own === null, aclOrigins: own?.origins ?? null };
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

/**
 * The ACL of documents without one of their own, as it is now and not as it was when the sync began; and nothing comes
 * alive under a source that is gone. A change and a removal wait for this transaction, or are seen by it.
 */
export async function lockDefaultAcl(scope: Scope, tx: Transaction, sourceId: string): Promise<Acl> {
  const [source] = await tx
    .select({ name: sources.name, defaultAcl: sources.defaultAcl, deletedAt: sources.deletedAt })
    .from(sources)
    .where(isSource(scope, sourceId))
    .for("share");
  if (source?.deletedAt === null) return source.defaultAcl;
  throw new AnnealError("SOURCE_NOT_FOUND", `The source “${source?.name ?? sourceId}” was removed while it was read.`, {
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
