import type { Principal } from "@anneal/core/access/acl";
import { index, jsonb, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { workspaces } from "./access.ts";
import { at } from "./columns.ts";
import { sources } from "./connect.ts";

// People and groups as the sources know them. Each row belongs to the source that reported it last: where two sources
// see one directory, the newer word counts. A key is the `principalKey` of its principal, or a digest of it where that
// is longer than an index takes.

/**
 * An account of a source, under each address that the source vouches for. One that it vouches for no address of is here for
 * its name, under "", which is nobody's.
 */
export const directoryUsers = pgTable(
  "directory_users",
  {
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: "cascade" }),
    sourceId: uuid()
      .notNull()
      .references(() => sources.id, { onDelete: "cascade" }),
    /** Of `principal`. */
    key: text().notNull(),
    principal: jsonb().$type<Principal>().notNull(),
    name: text().notNull(),
    /** In lower case. */
    email: text().notNull(),
    /** The enumeration that saw it last. */
    enumeration: uuid().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspaceId, table.key, table.email] }),
    index("directory_users_email").on(table.workspaceId, table.email),
    index("directory_users_source").on(table.sourceId),
  ],
);

/** A member of a group: an account, or another group. */
export const directoryMembers = pgTable(
  "directory_members",
  {
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: "cascade" }),
    sourceId: uuid()
      .notNull()
      .references(() => sources.id, { onDelete: "cascade" }),
    groupKey: text().notNull(),
    group: jsonb().$type<Principal>().notNull(),
    groupName: text().notNull(),
    memberKey: text().notNull(),
    enumeration: uuid().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspaceId, table.groupKey, table.memberKey] }),
    index("directory_members_member").on(table.workspaceId, table.memberKey),
    index("directory_members_source").on(table.sourceId),
  ],
);

/**
 * When the reading began whose word about an account or a group counts. Sources that see one directory are read side by
 * side, and the one that takes longer must not bring back what the other has heard since.
 */
export const directoryWords = pgTable(
  "directory_words",
  {
    workspaceId: uuid()
      .notNull()
      .references(() => workspaces.id, { onDelete: "cascade" }),
    key: text().notNull(),
    begunAt: at().notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.key] })],
);
