import { z } from "zod";

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

export const tableSchema = z.object({
  name: z.string().min(1).meta({ title: "Table", description: "table, or schema.table; without a schema, public." }),
  ...documentShape,
});
export const querySchema = z.object({
  name: z.string().min(1).meta({ title: "Name", description: "Names the query's documents." }),
  sql: z.string().min(1).meta({ title: "SELECT", description: "One SELECT; it runs read-only." }),
  ...documentShape,
});

export const postgresConfigSchema = z.object({
  host: z.string().min(1).regex(/^[^/]/, "A host name or an address, not a socket's path").meta({ title: "Host" }),
  port: z.number().int().min(1).max(65_535).default(5432).meta({ title: "Port" }),
  database: z.string().min(1).meta({ title: "Database" }),
  user: z.string().min(1).meta({ title: "User", description: "Give one that can only read." }),
  tls: z.enum(["prefer", "require", "verify", "disable"]).default("prefer").meta({
    title: "TLS",
    description: "verify also checks the server's certificate; prefer falls back to an open connection.",
  }),
  tables: z.array(tableSchema).default([]).meta({
    title: "Tables",
    description: "No table and no query: every table in public with a primary key.",
  }),
  queries: z.array(querySchema).default([]).meta({ title: "Queries" }),
  allowPrivateHosts: z.boolean().default(true).meta({
    title: "Allow private hosts",
    description: "Databases usually stand in one's own network. Metadata services stay refused.",
    administrator: true,
  }),
});
export type PostgresConfig = z.infer<typeof postgresConfigSchema>;
export type TableConfig = z.infer<typeof tableSchema>;
export type QueryConfig = z.infer<typeof querySchema>;

export const postgresSecretSchema = z.object({
  password: z.string().optional().meta({ title: "Password" }),
});
export type PostgresSecrets = z.infer<typeof postgresSecretSchema>;
