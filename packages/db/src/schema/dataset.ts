import type { Acl } from "@anneal/core/access/acl";
import { index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { createdAt, id } from "./columns.ts";
import { workspaces } from "./access.ts";
import { documents } from "./connect.ts";

/** Pairs found in one version of one document: kept so that a teacher is never asked twice about the same text. */
export const documentPairs = pgTable(
  "document_pairs",
  {
    documentId: uuid()
      .notNull()
      .references(() => documents.id, { onDelete: "cascade" }),
    workspaceId: uuid().notNull(),
    /** Digest of the clean text and of the settings (teacher, prompt version) that the pairs came from. */
    inputDigest: text().notNull(),
    pairs: jsonb().$type<unknown[]>().notNull(),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.documentId, table.inputDigest] })],
);

/** Immutable, named by the digest of its examples. */
export const datasetVersions = pgTable(
  "dataset_versions",
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: "cascade" }),
    name: text().notNull(),
    version: integer().notNull(),
    digest: text().notNull(),
    trainKey: text().notNull(),
    evalKey: text().notNull(),
    trainCount: integer().notNull(),
    evalCount: integer().notNull(),
    pairCount: integer().notNull(),
    droppedCount: integer().notNull(),
    /** Readers of every document that went in, when it was made; who may read it now, the documents say. */
    acl: jsonb().$type<Acl>().notNull(),
    settings: jsonb().$type<Record<string, unknown>>().notNull(),
    stats: jsonb().$type<Record<string, unknown>>().notNull(),
    runId: uuid(),
    createdAt: createdAt(),
  },
  (table) => [
    uniqueIndex("dataset_versions_number").on(table.workspaceId, table.name, table.version),
    uniqueIndex("dataset_versions_digest").on(table.workspaceId, table.name, table.digest),
  ],
);

export const datasetPairs = pgTable(
  "dataset_pairs",
  {
    id: id(),
    workspaceId: uuid().notNull(),
    datasetVersionId: uuid()
      .notNull()
      .references(() => datasetVersions.id, { onDelete: "cascade" }),
    ordinal: integer().notNull(),
    split: text({ enum: ["train", "eval", "none"] }).notNull(),
    origin: text({ enum: ["extracted", "generated"] }).notNull(),
    question: text().notNull(),
    answer: text().notNull(),
    /** Kept in words, so that the span can be shown after the document has changed. */
    quote: text().notNull(),
    documentId: uuid().notNull(),
    charStart: integer().notNull(),
    charEnd: integer().notNull(),
    /** null = kept. */
    drop: jsonb().$type<{ code: string; reason: string }>(),
  },
  (table) => [index("dataset_pairs_version").on(table.datasetVersionId, table.ordinal)],
);
