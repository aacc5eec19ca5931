import { z } from "zod";
import type { SourceFacts } from "../connector.ts";
import { privateHostsField } from "../private-hosts-field.ts";
import { databaseTls } from "./database-tls.ts";
import { ownerRules } from "./owner-rules.ts";

const columnName = z.string().min(1);

const documentShape = {
  key: z.array(columnName).default([]).meta({
    title: "Key columns",
    description: "Together they name one row for ever. Empty: the primary key (of a query: id, else its first column).",
  }),
  title: columnName.nullable().default(null).meta({ title: "Title column" }),
  watermark: columnName.nullable().default(null).meta({
    title: "Watermark column",
    description: "Grows with every change, such as updated_at; only rows at or above the last value are read again.",
  }),
  owner: columnName.nullable().default(null).meta({
    title: "Owner column",
    description: "A user id, or an array of them: only they may read the row. A row without an owner is nobody's.",
  }),
};

export const querySchema = z.object({
  name: z.string().min(1).meta({ title: "Name", description: "Names the query's documents." }),
  sql: z.string().min(1).meta({ title: "SELECT", description: "One SELECT; it runs read-only." }),
  ...documentShape,
});
export type QueryConfig = z.infer<typeof querySchema>;
export type TableConfig = Omit<QueryConfig, "sql">;

/** What differs between the forms of two databases. */
type Words = {
  defaultPort: number;
  /** How a table is written. */
  table: string;
  /** What is read where nothing is named. */
  allTables: string;
};

export const defineSqlConfig = (words: Words) =>
  z.object({
    host: z
      .string()
      .min(1)
      .regex(/^[^/]/, "A host name or an address, not a socket's path")
      .meta({ title: "Host", examples: ["db.example.com"] }),
    port: z.number().int().min(1).max(65_535).default(words.defaultPort).meta({ title: "Port" }),
    database: z
      .string()
      .min(1)
      .meta({ title: "Database", examples: ["shop"] }),
    user: z
      .string()
      .min(1)
      .meta({ title: "User", description: "Give one that can only read.", examples: ["anneal_reader"] }),
    tls: databaseTls,
    tables: z
      .array(
        z.object({
          name: z.string().min(1).meta({ title: "Table", description: words.table }),
          ...documentShape,
        }),
      )
      .default([])
      .meta({ title: "Tables", description: words.allTables }),
    queries: z.array(querySchema).default([]).meta({ title: "Queries" }),
    peopleQuery: z.string().min(1).nullable().default(null).meta({
      title: "People",
      description:
        "One SELECT of two columns with different names: the ids that owner columns hold, and each person's e-mail address. Without it an owned row is shown to nobody. The addresses decide who reads what: take them from where only an administrator can change them.",
    }),
    allowPrivateHosts: privateHostsField("Databases usually stand in one's own network.", true),
    allowWritableUser: z.boolean().default(false).meta({
      title: "Accept a user that can write",
      description:
        "Nothing is ever written. Still, a user that could change the database is refused until you confirm here that you know of it; the check names what to take away from that user instead.",
    }),
  });
export type SqlConfig = z.infer<ReturnType<typeof defineSqlConfig>>;

export const sqlSecretSchema = z.object({
  password: z
    .string()
    .optional()
    .meta({ title: "Password", examples: ["…"] }),
});
export type SqlSecrets = z.infer<typeof sqlSecretSchema>;

export const sqlFacts: SourceFacts = {
  changeModel: "watermark",
  capabilities: { permissions: true, deletions: true, moves: false },
  // A table of the default schema, which only a dialect knows, is called by its name alone.
  readerRules: ({ tables, queries }: SqlConfig) =>
    ownerRules([...tables, ...queries], (name) => [name, name.slice(name.indexOf(".") + 1)]),
};
