import { z } from "zod";
import { fileConfigSchema, fileSecretSchema } from "@anneal/connectors/file/config";
import { postgresConfigSchema, postgresSecretSchema } from "@anneal/connectors/postgres/config";
import { s3ConfigSchema, s3SecretSchema } from "@anneal/connectors/s3/config";
import { webConfigSchema, webSecretSchema } from "@anneal/connectors/web/config";
import { AnnealError } from "@anneal/core/errors";

/**
 * What the portal knows of each connector: its name, what it asks for and how it is recognised. Reading a source is the
 * worker's; only the schemas are shared, and the form is drawn from them.
 */
export type SourceKind = {
  title: string;
  description: string;
  configSchema: z.ZodType<Record<string, unknown>>;
  secretSchema: z.ZodType<Record<string, unknown>>;
  /** It reads the worker's own machine: more than a data scientist may reach on their own. */
  administratorOnly: boolean;
  /** One line that tells two sources of a kind apart. */
  locate(config: Record<string, unknown>): string;
  /** Who gets to see the credentials; they are not sent to another one without being entered again. */
  secretsGoTo(config: Record<string, unknown>): string;
};

const kinds: Record<string, SourceKind> = {
  file: {
    title: "Folder",
    description: "Files on the worker's machine, mounted shares included.",
    configSchema: fileConfigSchema,
    secretSchema: fileSecretSchema,
    administratorOnly: true,
    locate: ({ path }) => String(path),
    secretsGoTo: () => "",
  },
  s3: {
    title: "S3 bucket",
    description: "Objects in S3, MinIO, Ceph, R2 or any storage that speaks its protocol.",
    configSchema: s3ConfigSchema,
    secretSchema: s3SecretSchema,
    administratorOnly: false,
    locate: ({ bucket, prefix }) => `s3://${String(bucket)}/${String(prefix ?? "")}`,
    secretsGoTo: ({ endpoint }) => String(endpoint ?? "Amazon S3"),
  },
  postgres: {
    title: "PostgreSQL",
    description: "Rows of tables or queries, each a document. It only reads.",
    configSchema: postgresConfigSchema,
    secretSchema: postgresSecretSchema,
    administratorOnly: false,
    secretsGoTo: ({ host, port }) => `${String(host)}:${String(port ?? 5432)}`,
    locate: ({ host, port, database }) => `${String(host)}:${String(port ?? 5432)}/${String(database)}`,
  },
  web: {
    title: "Website",
    description: "The pages of one host, as its robots.txt allows.",
    configSchema: webConfigSchema,
    secretSchema: webSecretSchema,
    administratorOnly: false,
    locate: ({ url }) => String(url),
    secretsGoTo: () => "",
  },
};

export function listSourceKinds(): {
  kind: string;
  title: string;
  description: string;
  administratorOnly: boolean;
  config: JsonSchema;
  secrets: JsonSchema;
}[] {
  return Object.entries(kinds).map(([kind, { title, description, administratorOnly, configSchema, secretSchema }]) => ({
    kind,
    title,
    description,
    administratorOnly,
    config: describe(configSchema),
    secrets: describe(secretSchema),
  }));
}

/** @throws AnnealError NOT_FOUND for a kind that this release does not know. */
export function requireSourceKind(kind: string): SourceKind {
  const found = kinds[kind];
  if (found) return found;
  throw new AnnealError("NOT_FOUND", `There is no source of kind “${kind}”.`, {
    action: `Use one of: ${Object.keys(kinds).join(", ")}.`,
  });
}

/** A source that a newer or an older release made is still shown. */
export function describeSource(kind: string, config: Record<string, unknown>): { kindTitle: string; location: string } {
  const found = kinds[kind];
  return { kindTitle: found?.title ?? kind, location: found?.locate(config) ?? "" };
}

/** As much of JSON Schema as a form needs. */
export type JsonSchema = {
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  /** Only an administrator may change it from its default. */
  administrator?: boolean;
};

function describe(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
}
