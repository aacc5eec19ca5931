import { z } from "zod";
import { type Acl, aclFingerprint, aclKeys } from "../access/acl.ts";
import { elementBoxSchema } from "../document/element.ts";
import type { DocumentPlace, IdentifiedChunk } from "./plan-indexing.ts";

/** Names of the two vectors of every point. */
export const denseVectorName = "dense";
export const sparseVectorName = "bm25";

/** The payload of a point: the one place that names its fields. Qdrant speaks snake_case, as its own examples do. */
export const chunkPayloadSchema = z.object({
  workspace_id: z.string(),
  source_id: z.string(),
  document_id: z.string(),
  content_hash: z.string(),
  /** `principalKey` strings; nobody may read a point whose acl_allow is empty. */
  acl_allow: z.array(z.string()),
  acl_deny: z.array(z.string()),
  /** A copy of an earlier document with the same readers: a search of all sources leaves it out. */
  hidden: z.boolean(),
  /** The sources that have such an earlier copy: a search of some sources leaves it out where it includes one of them. */
  hidden_in: z.array(z.string()).default([]),
  language: z.string().nullable(),
  uri: z.string(),
  title: z.string(),
  context: z.string(),
  table_header: z.string().nullable(),
  text: z.string(),
  section: z.array(z.string()),
  places: z.array(
    z.object({
      charStart: z.number(),
      page: z.number().nullable(),
      section: z.array(z.string()),
      box: elementBoxSchema.optional(),
    }),
  ),
  container: z.string().nullable(),
  ordinal: z.number(),
  char_start: z.number(),
  char_end: z.number(),
});
export type ChunkPayload = z.infer<typeof chunkPayloadSchema>;

/** Fields that filters read, with the index type each needs in the collection. */
export const payloadIndexes = {
  workspace_id: "keyword",
  source_id: "keyword",
  document_id: "keyword",
  acl_allow: "keyword",
  acl_deny: "keyword",
  hidden: "bool",
  hidden_in: "keyword",
} as const satisfies Partial<Record<keyof ChunkPayload, "keyword" | "bool">>;

/** Who finds a document. */
export type Readers = {
  acl: Acl;
  /** Sources in which an earlier copy with the same readers is found, in code-unit order. */
  hiddenIn: readonly string[];
};

export type PayloadPlace = DocumentPlace & Readers & { workspaceId: string; sourceId: string; language: string | null };

export type ReadersPayload = Pick<ChunkPayload, "acl_allow" | "acl_deny" | "hidden" | "hidden_in">;

export function chunkPayload({ chunk, contentHash }: IdentifiedChunk, place: PayloadPlace): ChunkPayload {
  return {
    workspace_id: place.workspaceId,
    source_id: place.sourceId,
    document_id: place.documentId,
    content_hash: contentHash,
    ...readersPayload(place),
    language: place.language,
    uri: place.uri,
    title: place.title,
    context: chunk.context,
    table_header: chunk.tableHeader,
    text: chunk.text,
    section: chunk.section,
    places: chunk.places,
    container: chunk.container,
    ordinal: chunk.ordinal,
    char_start: chunk.charStart,
    char_end: chunk.charEnd,
  };
}

/** All fields that say who finds the point: what a change without a new text overwrites. */
export function readersPayload({ acl, hiddenIn }: Readers): ReadersPayload {
  return { ...aclPayload({ acl }), hidden: hiddenIn.length > 0, hidden_in: [...hiddenIn] };
}

/** What a point's row remembers of its `readersPayload`: equal where that is equal. */
export function readersFingerprint({ acl, hiddenIn }: Readers): string {
  return `${aclFingerprint(acl)}${hiddenIn.map((sourceId) => `#${sourceId}`).join("")}`;
}

/** The two fields of the ACL. */
export function aclPayload({ acl }: Pick<PayloadPlace, "acl">): Pick<ChunkPayload, "acl_allow" | "acl_deny"> {
  const { allow, deny } = aclKeys(acl);
  return { acl_allow: allow, acl_deny: deny };
}

/** The permission check again, in our own code, on what is about to be shown: the index is not the only guard. */
export function mayReadPayload(
  payload: Pick<ChunkPayload, "acl_allow" | "acl_deny" | "workspace_id">,
  reader: { workspaceId: string; holderKeys: ReadonlySet<string> },
): boolean {
  const holds = (key: string) => reader.holderKeys.has(key);
  return payload.workspace_id === reader.workspaceId && !payload.acl_deny.some(holds) && payload.acl_allow.some(holds);
}
