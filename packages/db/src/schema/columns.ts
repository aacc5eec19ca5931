import { randomUUID } from "node:crypto";
import { timestamp, uuid } from "drizzle-orm/pg-core";

/** Ids are made by us, not by the database, so that a row can be named before it is written (idempotent activities). */
export const id = () =>
  uuid()
    .primaryKey()
    .$defaultFn(() => randomUUID());

export const at = () => timestamp({ withTimezone: true, mode: "date" });
export const createdAt = () => at().notNull().defaultNow();
