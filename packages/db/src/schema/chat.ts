import type { ElementBox } from "@anneal/core/document/element";
import { bigserial, boolean, index, integer, jsonb, pgTable, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { at, createdAt, id } from "./columns.ts";
import { workspaces } from "./access.ts";
import { documents } from "./connect.ts";

export const collections = pgTable(
  "collections",
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: "cascade" }),
    name: text().notNull(),
    embeddingModel: text().notNull(),
    dimensions: integer().notNull(),
    settings: jsonb().$type<Record<string, unknown>>().notNull(),
    createdAt: createdAt(),
  },
  (table) => [uniqueIndex("collections_name").on(table.workspaceId, table.name)],
);

/** The text of what is in the vector index. The id is the point's id; the ACL is checked again here when cited. */
export const chunks = pgTable(
  "chunks",
  {
    id: uuid().primaryKey(),
    workspaceId: uuid().notNull(),
    collectionId: uuid()
      .notNull()
      .references(() => collections.id, { onDelete: "cascade" }),
    documentId: uuid()
      .notNull()
      .references(() => documents.id, { onDelete: "cascade" }),
    ordinal: integer().notNull(),
    text: text().notNull(),
    section: jsonb().$type<string[]>().notNull(),
    pageStart: integer(),
    pageEnd: integer(),
    container: text(),
    charStart: integer().notNull(),
    charEnd: integer().notNull(),
    contentHash: text().notNull(),
    /** What the index holds for this point, to find what has to be written again: see `planIndexing` of core/indexing. */
    placeFingerprint: text().notNull(),
    aclFingerprint: text().notNull(),
  },
  (table) => [
    index("chunks_document").on(table.collectionId, table.documentId, table.ordinal),
    // A document is shown, and removed with all that was made of it, whatever collection that is in.
    index("chunks_of_document").on(table.documentId),
  ],
);

/**
 * Documents of which the indexes may not know yet who finds them. A trigger adds one in the transaction that changes an
 * ACL, or deletes or restores a document; it goes when the indexes have been told. Rows are only added and removed, so
 * that whoever changes documents waits for nobody who tells an index.
 */
export const readerChanges = pgTable(
  "reader_changes",
  {
    seq: bigserial({ mode: "number" }).primaryKey(),
    workspaceId: uuid().notNull(),
    documentId: uuid()
      .notNull()
      .references(() => documents.id, { onDelete: "cascade" }),
    /** Its copies have to be looked at too: they may be hidden behind it no longer. */
    withCopies: boolean().notNull().default(true),
  },
  (table) => [
    index("reader_changes_order").on(table.workspaceId, table.seq),
    index("reader_changes_document").on(table.documentId),
  ],
);

export const assistants = pgTable(
  "assistants",
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: "cascade" }),
    name: text().notNull(),
    /** "base" or "<adapter>@<alias>". */
    model: text().notNull(),
    collectionId: uuid().references(() => collections.id),
    instructions: text().notNull().default(""),
    settings: jsonb().$type<Record<string, unknown>>().notNull(),
    createdAt: createdAt(),
  },
  (table) => [uniqueIndex("assistants_name").on(table.workspaceId, table.name)],
);

export const conversations = pgTable(
  "conversations",
  {
    id: id(),
    workspaceId: uuid().notNull(),
    userId: uuid().notNull(),
    assistantId: uuid()
      .notNull()
      .references(() => assistants.id, { onDelete: "cascade" }),
    title: text().notNull(),
    createdAt: createdAt(),
    updatedAt: createdAt(),
    deletedAt: at(),
  },
  (table) => [index("conversations_user").on(table.workspaceId, table.userId, table.updatedAt)],
);

export type StoredCitation = {
  number: number;
  documentId: string;
  chunkId: string;
  uri: string;
  title: string;
  page: number | null;
  /** Absent where it is not known, and in what an earlier release stored. */
  box?: ElementBox | undefined;
  section: string | null;
  quote: string;
  charStart: number;
  charEnd: number;
};

export const messages = pgTable(
  "messages",
  {
    id: id(),
    workspaceId: uuid().notNull(),
    conversationId: uuid()
      .notNull()
      .references(() => conversations.id, { onDelete: "cascade" }),
    seq: bigserial({ mode: "number" }).notNull(),
    role: text({ enum: ["user", "assistant"] }).notNull(),
    content: text().notNull(),
    /** How the answer came to be: its own words, a marked quote, or a refusal. */
    outcome: text({ enum: ["grounded", "quoted", "refused", "ungrounded", "failed"] }),
    citations: jsonb().$type<StoredCitation[]>(),
    /** What was found, filtered and used, and how long each step took. */
    trace: jsonb().$type<Record<string, unknown>>(),
    model: text(),
    promptTokens: integer(),
    completionTokens: integer(),
    feedback: text({ enum: ["up", "down"] }),
    createdAt: createdAt(),
  },
  (table) => [index("messages_conversation").on(table.conversationId, table.seq)],
);

export const tokenUsage = pgTable(
  "token_usage",
  {
    seq: bigserial({ mode: "number" }).primaryKey(),
    workspaceId: uuid().notNull(),
    userId: uuid(),
    apiKeyId: uuid(),
    model: text().notNull(),
    promptTokens: integer().notNull(),
    completionTokens: integer().notNull(),
    at: createdAt(),
  },
  (table) => [index("token_usage_time").on(table.workspaceId, table.at)],
);
