import { z } from "zod";
import type { SourceFacts } from "../connector.ts";
import { privateHostsField } from "../private-hosts-field.ts";
import { databaseTls } from "../sql/database-tls.ts";
import { ownerRules } from "../sql/owner-rules.ts";
import { filterSchema } from "./collection-filter.ts";

const fieldName = z.string().min(1).regex(/^[^$]/, "A field, not an operator");

export const collectionSchema = z.object({
  name: z.string().min(1).meta({ title: "Collection" }),
  filter: filterSchema.nullable().default(null).meta({
    title: "Filter",
    description:
      'Only documents that match are read, as find takes it, in extended JSON: {"status": "published"}. One that no longer matches counts as deleted.',
  }),
  fields: z.array(fieldName).default([]).meta({
    title: "Fields",
    description: "What becomes the document's text; a.b reaches inside. Empty: every field that is not binary.",
  }),
  title: fieldName.nullable().default(null).meta({ title: "Title field" }),
  watermark: fieldName.nullable().default(null).meta({
    title: "Watermark field",
    description:
      "Grows with every change, such as updatedAt; only documents at or above the last value are read again.",
  }),
  owner: fieldName.nullable().default(null).meta({
    title: "Owner field",
    description: "A user id, or an array of them: only they may read it. A document without an owner is nobody's.",
  }),
});
export type CollectionConfig = z.infer<typeof collectionSchema>;

/** Two would give one document twice, under one name. */
function isOneFilterEach(collections: readonly CollectionConfig[]): boolean {
  return collections.every(
    ({ name, filter }, at) =>
      filter === null || collections.every((other, index) => index === at || other.name !== name),
  );
}

export const mongodbConfigSchema = z.object({
  host: z
    .string()
    .min(1)
    .regex(/^[^/]/, "A host name or an address, not a socket's path")
    .meta({
      title: "Host",
      description: "One server; of a replica set any member that holds the data, best a secondary.",
      examples: ["db.example.com"],
    }),
  port: z.number().int().min(1).max(65_535).default(27_017).meta({ title: "Port" }),
  database: z
    .string()
    .min(1)
    .meta({ title: "Database", examples: ["shop"] }),
  user: z
    .string()
    .min(1)
    .meta({ title: "User", description: "Give one with the role read and no other.", examples: ["anneal_reader"] }),
  authDatabase: z.string().min(1).default("admin").meta({
    title: "Authentication database",
    description: "Where the user was created (authSource).",
  }),
  tls: databaseTls,
  collections: z
    .array(collectionSchema)
    .refine(isOneFilterEach, "A collection with a filter is named once; join two filters with $or.")
    .default([])
    .meta({
      title: "Collections",
      description:
        'None: every collection of the database. As JSON also with a filter, so that only documents that match are read: [{"name": "articles", "filter": {"status": "published"}}].',
    }),
  peopleCollection: z.string().min(1).nullable().default(null).meta({
    title: "People",
    description:
      "The collection that gives the e-mail address for an owner's id. Without it an owned document is shown to nobody. The addresses decide who reads what: take them from where only an administrator can change them.",
  }),
  peopleId: fieldName.default("_id").meta({ title: "People: id field", description: "What owner fields hold." }),
  peopleEmail: fieldName.default("email").meta({ title: "People: e-mail field" }),
  allowPrivateHosts: privateHostsField("Databases usually stand in one's own network.", true),
  allowWritableUser: z.boolean().default(false).meta({
    title: "Accept a user that can write",
    description:
      "Nothing is ever written. Still, a user that could change the database is refused until you confirm here that you know of it; the check names what to take away from that user instead.",
  }),
});
export type MongodbConfig = z.infer<typeof mongodbConfigSchema>;

export const mongodbSecretSchema = z.object({
  password: z
    .string()
    .optional()
    .meta({ title: "Password", examples: ["…"] }),
});
export type MongodbSecrets = z.infer<typeof mongodbSecretSchema>;

export const mongodbFacts: SourceFacts = {
  changeModel: "watermark",
  capabilities: { permissions: true, deletions: true, moves: false },
  readerRules: ({ collections }: MongodbConfig) => ownerRules(collections, (name) => [name]),
};
