import { open } from "node:fs/promises";
import { detectMediaType, docxMediaType, pptxMediaType, xlsxMediaType } from "../media-type.ts";
import type { ImageKind } from "../ocr/image-signatures.ts";

const headBytes = 64 * 1024;

/**
 * What a partitioner reads instead of our parsers: files with a layout. Text, tables of values, pages and e-mails (with
 * their attachments), whose structure stands in the file, are read here whatever is set, and archives are opened here.
 */
const partitioned = new Set([
  "application/pdf",
  docxMediaType,
  xlsxMediaType,
  pptxMediaType,
  "application/vnd.oasis.opendocument.text",
  "application/epub+zip",
  "application/rtf",
  "application/msword",
  "application/vnd.ms-excel",
  "application/vnd.ms-powerpoint",
  "image/png",
  "image/jpeg",
  "image/tiff",
]);

/** The file's media type where a partitioner is to read it, by the file's first 64 KiB and its name; else null. */
export async function partitionedType(path: string, fileName: string, kind: ImageKind | null): Promise<string | null> {
  const { mediaType } = kind ?? detectMediaType(await readHead(path), fileName);
  return partitioned.has(mediaType) ? mediaType : null;
}

async function readHead(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const head = Buffer.alloc(headBytes);
    const { bytesRead } = await file.read(head, 0, headBytes, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
