import { extname } from "node:path";

/** The formats that the parsers know. What is not here travels as null and is recognised by its bytes, or not at all. */
const mediaTypes: Record<string, string> = {
  ".csv": "text/csv",
  ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  ".eml": "message/rfc822",
  ".msg": "application/vnd.ms-outlook",
  ".epub": "application/epub+zip",
  ".htm": "text/html",
  ".html": "text/html",
  ".json": "application/json",
  ".jsonl": "application/x-ndjson",
  ".log": "text/plain",
  ".markdown": "text/markdown",
  ".md": "text/markdown",
  ".odp": "application/vnd.oasis.opendocument.presentation",
  ".ods": "application/vnd.oasis.opendocument.spreadsheet",
  ".odt": "application/vnd.oasis.opendocument.text",
  ".pdf": "application/pdf",
  ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  ".rst": "text/plain",
  ".text": "text/plain",
  ".tsv": "text/tab-separated-values",
  ".txt": "text/plain",
  ".xhtml": "application/xhtml+xml",
  ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  ".xml": "application/xml",
};

export function mediaTypeOf(path: string): string | null {
  return mediaTypes[extname(path).toLowerCase()] ?? null;
}

const documentTypes = new Set(Object.values(mediaTypes));

/** @param contentType an HTTP Content-Type, parameters and all */
export function parseMediaType(contentType: string | null): string | null {
  const mediaType = contentType?.split(";")[0]?.trim().toLowerCase();
  return mediaType !== undefined && mediaType !== "" ? mediaType : null;
}

export function isDocumentType(mediaType: string): boolean {
  return documentTypes.has(mediaType);
}
