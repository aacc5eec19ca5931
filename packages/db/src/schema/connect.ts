import type { Acl } from "@anneal/core/access/acl";
import type { AclOrigins } from "@anneal/core/access/acl-origins";
import type { QualityScores } from "@anneal/core/clean/assess-quality";
import type { Cursor, JournalEntry } from "@anneal/core/connect/change";
import type { SyncFailure } from "@anneal/core/connect/contract";
import type { LeftOut } from "@anneal/core/connect/left-out";
import type { SyncProgress } from "@anneal/core/connect/measure-sync";
import type { ErrorReport } from "@anneal/core/errors";
import { sql } from "drizzle-orm";
import {
  bigint,
  bigserial,
  boolean,
  check,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { at, createdAt, id } from "./columns.ts";
import { workspaces } from "./access.ts";
import { runs } from "./loop.ts";

export const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => "bytea" });

export const sources = pgTable(
  "sources",
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: "cascade" }),
    name: text().notNull(),
    /** A connector kind: "file", "s3", "postgres", "web". */
    kind: text().notNull(),
    /** Everything that may be shown. */
    config: jsonb().$type<Record<string, unknown>>().notNull(),
    /** AES-256-GCM over the JSON of the secrets; null where the source needs none. */
    sealedSecrets: bytea(),
    /** Applies to documents whose source has no permissions of its own; an empty one admits nobody. */
    defaultAcl: jsonb().$type<Acl>().notNull(),
    /** Of the Temporal Schedule: a cron expression, "@every 30m" and the like, or null. */
    schedule: text(),
    /** The schedule stays as it is and does not fire. */
    schedulePaused: boolean().notNull().default(false),
    cursor: jsonb().$type<Cursor>(),
    /** Raised by whatever a reading that has begun must not write over: other settings, another position. */
    revision: integer().notNull().default(0),
    lastSyncAt: at(),
    lastSyncError: jsonb().$type<ErrorReport>(),
    /** When its people and groups were last read whole, and why they could not be since; with `details.partial` all others were. */
    directoryReadAt: at(),
    /** How long that took. */
    directoryReadMs: integer(),
    directoryError: jsonb().$type<ErrorReport>(),
    createdAt: createdAt(),
    deletedAt: at(),
  },
  (table) => [uniqueIndex("sources_name").on(table.workspaceId, table.name)],
);

/** What checkpoints have added to the journals of sources, in order; each belongs to the cursor of its source. */
export const sourceJournal = pgTable(
  "source_journal",
  {
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: "cascade" }),
    sourceId: uuid()
      .notNull()
      .references(() => sources.id, { onDelete: "cascade" }),
    seq: bigserial({ mode: "number" }).notNull(),
    entry: jsonb().$type<JournalEntry>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.sourceId, table.seq] })],
);

/**
 * A source that somebody tries before it is saved. It is taken out as soon as it is tried: this is how its credentials
 * reach the worker, sealed, without passing through Temporal. Or a sign-in for one: first the code that is waited for, then
 * the credentials that it brought, until the source is saved with them.
 */
export const sourceDrafts = pgTable("source_drafts", {
  id: id(),
  workspaceId: uuid()
    .notNull()
    .references(() => workspaces.id, { onDelete: "cascade" }),
  kind: text().notNull(),
  config: jsonb().$type<Record<string, unknown>>().notNull(),
  sealedSecrets: bytea(),
  /** What the secrets are bound to: this draft, or the stored source that they are borrowed from. */
  sealedFor: uuid().notNull(),
  createdAt: createdAt(),
});

export const syncStatuses = ["running", "done", "failed", "cancelled", "skipped", "paused", "waiting"] as const;
export type SyncStatus = (typeof syncStatuses)[number];

/** One reading of a source: by hand, by its schedule, or within a run. */
export const sourceSyncs = pgTable(
  "source_syncs",
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: "cascade" }),
    sourceId: uuid()
      .notNull()
      .references(() => sources.id, { onDelete: "cascade" }),
    runId: uuid().references(() => runs.id, { onDelete: "set null" }),
    /** Temporal's, to cancel it by; null in what an earlier release wrote. */
    workflowId: text(),
    /** A user's e-mail, or "schedule". */
    startedBy: text().notNull(),
    status: text({ enum: syncStatuses }).notNull(),
    startedAt: createdAt(),
    endedAt: at(),
    /** Documents that the source listed. */
    scanned: integer().notNull().default(0),
    /** Those whose content was fetched. */
    read: integer().notNull().default(0),
    added: integer().notNull().default(0),
    changed: integer().notNull().default(0),
    removed: integer().notNull().default(0),
    /** Those that could not be read. */
    dropped: integer().notNull().default(0),
    /** The first of them, each with its reason. */
    failures: jsonb().$type<SyncFailure[]>().notNull().default([]),
    /** What it met that holds no document, by why. */
    leftOut: jsonb().$type<LeftOut>().notNull().default({}),
    /** Of the content that was fetched. */
    bytes: bigint({ mode: "number" }).notNull().default(0),
    /** While it reads. */
    progress: jsonb().$type<SyncProgress>(),
    /** Of the source, when the sync first began: what a person confirmed then was about the source as it was. */
    revision: integer(),
    /** Somebody asked it to stop at its next checkpoint. */
    pauseRequestedAt: at(),
    /** Of one that waits: when it goes on, as its source asked for. */
    waitsUntil: at(),
    /** Why it failed, waits or was skipped; of one that is done, what it held back. */
    error: jsonb().$type<ErrorReport>(),
  },
  (table) => [index("source_syncs_source").on(table.sourceId, table.startedAt)],
);

/** An index entry holds some 2,700 bytes: of a longer ref than this it has the digest. */
export const maxIndexedRefBytes = 2_000;

export const documentStatuses = ["fetched", "kept", "dropped", "quarantined"] as const;
export type DocumentStatus = (typeof documentStatuses)[number];

export const documents = pgTable(
  "documents",
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: "cascade" }),
    sourceId: uuid()
      .notNull()
      .references(() => sources.id, { onDelete: "cascade" }),
    /** The source's own id of the document. */
    ref: text().notNull(),
    /** SHA-256 of a ref that is too long for an index; null for any other. Queries go by `queries/refs.ts`. */
    refDigest: bytea(),
    uri: text().notNull(),
    title: text().notNull(),
    mediaType: text(),
    sizeBytes: bigint({ mode: "number" }),
    fingerprint: text().notNull(),
    acl: jsonb().$type<Acl>().notNull(),
    /** The source's default, as it is now; false where the source has permissions of its own for this document. */
    aclInherited: boolean().notNull(),
    /**
     * Where the entries that are inherited within the source come from; null where none is, or the source tells none. `digest`
     * is `digestOrigins`, left out by earlier releases.
     */
    aclOrigins: jsonb().$type<AclOrigins & { digest?: string }>(),
    status: text({ enum: documentStatuses }).notNull(),
    /** Why a dropped or quarantined document is out: stage, code and a sentence. */
    drop: jsonb().$type<{ stage: string; code: string; reason: string }>(),
    /** SHA-256 of the bytes; the object key is derived from it, so that equal bytes are stored once. */
    contentHash: text().notNull(),
    contentKey: text().notNull(),
    /** The cleaned `ParsedDocument`, and a digest of everything that decided it (bytes, parser, policy). */
    cleanKey: text(),
    cleanDigest: text(),
    /** The `contentHash` that its passages were made of; null where there are none yet. */
    indexedHash: text(),
    /**
     * Its passages are of an older content, and somebody may read it now who might not then, or it was deleted in between:
     * nobody is shown them.
     */
    withdrawn: boolean().notNull().default(false),
    language: text(),
    textChars: integer(),
    quality: jsonb().$type<QualityScores>(),
    piiCounts: jsonb().$type<Record<string, number>>(),
    warnings: jsonb().$type<string[]>(),
    /** The MinHash signature of the cleaned text, made by deduplication; null until then. */
    signature: bytea(),
    duplicateOf: uuid(),
    /**
     * Why it is a copy; `hiddenIn`: the sources in which retrieval shows an earlier one instead, which earlier releases left
     * out. These stored a sentence too, which names the other document: `explainDuplicate` makes one that does not.
     */
    duplicate: jsonb().$type<{ code: string; similarity: number; hiddenIn?: string[] }>(),
    /** Element indexes of passages that are copies of another document's. */
    duplicatePassages: jsonb().$type<number[]>(),
    sourceModifiedAt: at(),
    firstSeenAt: createdAt(),
    changedAt: createdAt(),
    /** A tombstone: the source no longer has it. */
    deletedAt: at(),
    /** A person took it back: it stays, whatever the source says, until the source has it again. */
    restoredAt: at(),
    restoredBy: text(),
  },
  (table) => [
    // In code-point order, whatever the database's own collation.
    uniqueIndex("documents_ref")
      .on(table.sourceId, sql`${table.ref} collate "C"`)
      .where(sql`${table.refDigest} is null`),
    uniqueIndex("documents_long_ref")
      .on(table.sourceId, table.refDigest)
      .where(sql`${table.refDigest} is not null`),
    check(
      "documents_ref_digest",
      sql`(${table.refDigest} is null) = (octet_length(${table.ref}) <= ${sql.raw(String(maxIndexedRefBytes))})`,
    ),
    index("documents_workspace").on(table.workspaceId, table.status),
    // A fingerprint can be longer than an index entry may be.
    index("documents_fingerprint").on(table.sourceId, sql`md5(${table.fingerprint})`),
    index("documents_duplicate").on(table.duplicateOf),
    index("documents_content").on(table.contentKey),
    index("documents_deleted").on(table.deletedAt),
  ],
);
