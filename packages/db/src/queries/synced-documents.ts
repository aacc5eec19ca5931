import { nobody } from "@anneal/core/access/acl";
import type { SourceAcl } from "@anneal/core/access/acl-origins";
import { admitsMore, narrowAcl } from "@anneal/core/access/narrow-acl";
import type { SourceItem } from "@anneal/core/connect/change";
import { and, eq, gt, isNotNull, isNull, ne, or, sql, type SQL } from "drizzle-orm";
import { inWorkspace, type Scope } from "../database.ts";
import { documents } from "../schema.ts";
import {
  audienceColumns,
  followsSource,
  itemColumns,
  lockDefaultAcl,
  lockLiveSource,
  ofSource,
} from "./documents-of-source.ts";
import { byCodePoint, hasRef, isLong, isShort, refColumns } from "./refs.ts";
import { isRefusedValue, upsertDocuments, type FetchedContent, type UpsertedDocument } from "./upsert-documents.ts";

/** It is its source's again, or a tombstone, and no longer a person's. */
const notKept = { restoredAt: null, restoredBy: null };

/** Live refs that hold exactly this fingerprint. */
export async function listRefsWithFingerprint(scope: Scope, sourceId: string, fingerprint: string): Promise<string[]> {
  const rows = await inWorkspace(scope, (tx) =>
    tx
      .select({ ref: documents.ref })
      .from(documents)
      .where(
        and(
          ofSource(scope, sourceId),
          sql`md5(${documents.fingerprint}) = md5(${fingerprint})`,
          eq(documents.fingerprint, fingerprint),
          isNull(documents.deletedAt),
        ),
      ),
  );
  return rows.map((row) => row.ref);
}

/**
 * Refs that the source decides about, in code-point order, paged so that memory stays flat.
 * @param options.onlyUnread those that were never more than a failure
 */
export async function* streamRefs(
  scope: Scope,
  sourceId: string,
  { onlyUnread = false, pageSize = 1000 } = {},
): AsyncIterable<string> {
  const isWanted = onlyUnread ? eq(documents.contentKey, "") : undefined;
  let after = "";
  for (;;) {
    const page = (length: SQL) => sql`(select ${documents.ref} from ${documents}
      where ${and(ofSource(scope, sourceId), followsSource, isWanted, length, gt(byCodePoint, after))}
      order by ${byCodePoint} limit ${pageSize})`;
    // Each has an index, which orders those that are short.
    const { rows } = await inWorkspace(scope, (tx) =>
      tx.execute<{ ref: string }>(sql`select ref from (${page(isShort)} union all ${page(isLong)}) as refs
        order by ref collate "C" limit ${pageSize}`),
    );
    for (const row of rows) yield row.ref;
    if (rows.length < pageSize) return;
    after = rows.at(-1)!.ref;
  }
}

/** One new or changed document: a batch of one. */
export async function upsertDocument(
  scope: Scope,
  sourceId: string,
  item: SourceItem,
  content: FetchedContent,
  putContent?: () => Promise<void>,
): Promise<UpsertedDocument> {
  const [document] = await upsertDocuments(scope, sourceId, [{ item, content, putContent }]);
  return document!;
}

/** Of what could not be read. Never equal to a real one: the next sync tries again. */
export const unreadFingerprint = "";

/**
 * A document whose content could not be fetched: known, and shown with its reason to whom `given` admits. One that was
 * fetched before stays as it is.
 * @param given null: whom the source's default admits
 * @param revision as with `upsertDocuments`
 */
export async function quarantineRef(
  scope: Scope,
  sourceId: string,
  ref: string,
  drop: { stage: string; code: string; reason: string },
  given: SourceAcl | null = null,
  revision?: number,
): Promise<void> {
  await inWorkspace(scope, async (tx) => {
    const defaultAcl = await lockDefaultAcl(scope, tx, sourceId, revision);
    const quarantined = { status: "quarantined" as const, drop, ...audienceColumns(given, defaultAcl) };
    await tx
      .update(documents)
      .set({ ...quarantined, deletedAt: null })
      .where(and(ofSource(scope, sourceId), hasRef(ref), eq(documents.contentKey, "")));
    await tx
      .insert(documents)
      .values({
        ...quarantined,
        workspaceId: scope.workspaceId,
        sourceId,
        ...refColumns(ref),
        uri: ref,
        title: ref,
        fingerprint: unreadFingerprint,
        contentHash: "",
        contentKey: "",
      })
      .onConflictDoNothing();
  });
}

/**
 * @param revision as with `upsertDocuments`
 * @returns whether it was a document; false also for one that a person keeps, and for what was never more than a failure
 */
export async function markDocumentDeleted(
  scope: Scope,
  sourceId: string,
  ref: string,
  revision?: number,
): Promise<boolean> {
  const rows = await inWorkspace(scope, async (tx) => {
    await lockLiveSource(scope, tx, sourceId, revision);
    return tx
      .update(documents)
      .set({ deletedAt: new Date() })
      .where(and(ofSource(scope, sourceId), hasRef(ref), followsSource))
      .returning({ contentKey: documents.contentKey });
  });
  return rows.some(({ contentKey }) => contentKey !== "");
}

/** @param revision as with `upsertDocuments` */
export async function saveDocumentAcl(
  scope: Scope,
  sourceId: string,
  change: { ref: string; acl: SourceAcl; fingerprint: string },
  revision?: number,
): Promise<void> {
  const { ref, fingerprint } = change;
  const save = async (granted: SourceAcl) => {
    await inWorkspace(scope, async (tx) => {
      await lockLiveSource(scope, tx, sourceId, revision);
      await tx
        .update(documents)
        .set({ ...audienceColumns(granted, nobody), fingerprint })
        .where(and(ofSource(scope, sourceId), hasRef(ref)));
    });
  };
  try {
    await save(change.acl);
  } catch (error) {
    // Readers that the database cannot hold, such as one with a null character in its id, cannot be told: nobody.
    if (!isRefusedValue(error)) throw error;
    await save(nobody);
  }
}

/**
 * Takes a document from whom its source does not admit any more, and admits nobody: what is held may be of an older content
 * than the one that the source shows to these.
 * @param revision as with `upsertDocuments`
 * @returns whether there is somebody to admit, which `saveDocumentAcl` does; else the change is carried out
 */
export async function narrowDocumentAcl(
  scope: Scope,
  sourceId: string,
  change: { ref: string; acl: SourceAcl; fingerprint: string },
  revision?: number,
): Promise<boolean> {
  const { ref, fingerprint } = change;
  try {
    return await inWorkspace(scope, async (tx) => {
      await lockLiveSource(scope, tx, sourceId, revision);
      const isIt = and(ofSource(scope, sourceId), hasRef(ref));
      const [held] = await tx.select({ acl: documents.acl }).from(documents).where(isIt).for("update");
      if (held === undefined) return false;
      const carriedOut = { ...audienceColumns(change.acl, nobody), fingerprint };
      const { acl } = carriedOut;
      const more = admitsMore(held.acl, acl);
      const narrowed = { acl: narrowAcl(held.acl, acl), aclInherited: false, aclOrigins: null };
      if (!more) await tx.update(documents).set(carriedOut).where(isIt);
      else if (admitsMore(acl, held.acl)) await tx.update(documents).set(narrowed).where(isIt);
      return more;
    });
  } catch (error) {
    if (!isRefusedValue(error)) throw error;
    await saveDocumentAcl(scope, sourceId, { ...change, acl: nobody }, revision);
    return false;
  }
}

/**
 * Keeps the document's identity and everything made from it under its new ref.
 * @param revision as with `upsertDocuments`
 */
export async function moveDocument(
  scope: Scope,
  sourceId: string,
  fromRef: string,
  item: SourceItem,
  revision?: number,
): Promise<void> {
  await inWorkspace(scope, async (tx) => {
    const defaultAcl = await lockDefaultAcl(scope, tx, sourceId, revision);
    // A tombstone, or what a person keeps, may stand where the document moves to: it makes room and can still be taken
    // back or let go.
    const [inTheWay] = await tx
      .select({ id: documents.id })
      .from(documents)
      .where(
        and(
          ofSource(scope, sourceId),
          hasRef(item.ref),
          ne(documents.ref, fromRef),
          or(isNotNull(documents.deletedAt), isNotNull(documents.restoredAt)),
        ),
      );
    if (inTheWay !== undefined)
      await tx
        .update(documents)
        .set(refColumns(`${item.ref} #${inTheWay.id}`))
        .where(eq(documents.id, inTheWay.id));
    await tx
      .update(documents)
      .set({ ...itemColumns(item, defaultAcl), ...notKept, deletedAt: null })
      .where(and(ofSource(scope, sourceId), hasRef(fromRef)));
  });
}
