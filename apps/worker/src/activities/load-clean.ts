import { parsedDocumentSchema, type ParsedDocument } from "@anneal/core/document/element";
import type { ObjectStore } from "@anneal/objects/object-store";

/** The cleaned document that the clean stage stored. */
export async function loadClean(objects: ObjectStore, document: { cleanKey: string | null }): Promise<ParsedDocument> {
  if (document.cleanKey === null) throw new Error("A kept document has no cleaned form.");
  return parsedDocumentSchema.parse(JSON.parse(Buffer.from(await objects.get(document.cleanKey)).toString("utf8")));
}
