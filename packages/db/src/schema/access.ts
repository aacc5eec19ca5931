import { roles } from "@anneal/core/access/roles";
import { boolean, index, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { at, createdAt, id } from "./columns.ts";

export const workspaces = pgTable("workspaces", {
  id: id(),
  slug: text().notNull().unique(),
  name: text().notNull(),
  createdAt: createdAt(),
});

export const users = pgTable("users", {
  id: id(),
  email: text().notNull().unique(),
  name: text().notNull(),
  /** scrypt, null for people who sign in through OIDC only. */
  passwordHash: text(),
  createdAt: createdAt(),
});

export const memberships = pgTable(
  "memberships",
  {
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: "cascade" }),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    role: text({ enum: roles }).notNull(),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.userId] })],
);

/** A key acts as its user, within one workspace, and never with more rights than that user has now. */
export const apiKeys = pgTable(
  "api_keys",
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: "cascade" }),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    name: text().notNull(),
    /** The first characters, to recognise a key by. */
    prefix: text().notNull(),
    /** SHA-256 of the whole key, hex; the key itself is shown once and never stored. */
    hash: text().notNull(),
    createdAt: createdAt(),
    expiresAt: at(),
    revokedAt: at(),
    lastUsedAt: at(),
  },
  (table) => [uniqueIndex("api_keys_hash").on(table.hash), index("api_keys_workspace").on(table.workspaceId)],
);

/** Who may use which model. No row, no use: the table is the whole policy. */
export const modelGrants = pgTable(
  "model_grants",
  {
    id: id(),
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: "cascade" }),
    /** A `principalKey`. */
    principal: text().notNull(),
    /** "base" (every base model, and the embedding model), "adapter:<name>" or "assistant:<name>"; "*" after the colon means all of the kind. */
    resource: text().notNull(),
    grantedBy: text().notNull(),
    createdAt: createdAt(),
  },
  (table) => [uniqueIndex("model_grants_once").on(table.workspaceId, table.principal, table.resource)],
);

/** Append-only and hash-chained per workspace: `hash` = SHA-256 over `prevHash` and the canonical JSON of the event. */
export const auditEvents = pgTable(
  "audit_events",
  {
    id: id(),
    workspaceId: uuid().notNull(),
    at: at().notNull(),
    actor: text().notNull(),
    action: text().notNull(),
    subject: text().notNull(),
    details: jsonb().$type<Record<string, unknown>>().notNull(),
    allowed: boolean().notNull().default(true),
    prevHash: text().notNull(),
    hash: text().notNull(),
  },
  (table) => [
    index("audit_events_time").on(table.workspaceId, table.at),
    uniqueIndex("audit_events_chain").on(table.workspaceId, table.prevHash),
  ],
);
