import { crc32, inflateRawSync } from "node:zlib";
import { type Entry, fromBufferPromise } from "yauzl";
import { describeBytes } from "@anneal/core/describe-bytes";
import { type AnnealError, isAnnealError } from "@anneal/core/errors";
import { documentError } from "./document-errors.ts";
import { inspectXml } from "./inspect-xml.ts";
import type { ParseLimits } from "./limits.ts";

/** Below this, a high ratio harms nobody: an empty sheet of styles compresses very well. */
const harmlessBytes = 32 * 1024 * 1024;

export type Archive = {
  /** The XML parts, inflated and inspected, by name without a leading slash. */
  parts: Map<string, Uint8Array>;
  /** Why an XML part is not among them, by its name: it counts for whoever needs it. */
  damaged: Map<string, AnnealError>;
  /** Every entry's name, also of media and macros, which are never inflated. */
  names: string[];
};

/** A ZIP whose directory was checked: its counts, its names and its declared sizes. Nothing is inflated yet. */
export type Zip = {
  entries: readonly Entry[];
  /**
   * One entry's bytes. What all calls together give is bounded by `maxInflatedBytes`.
   *
   * @throws AnnealError DOCUMENT_ENCRYPTED, DOCUMENT_DAMAGED, DOCUMENT_HOSTILE.
   */
  inflate(entry: Entry): Promise<Uint8Array>;
};

/**
 * Opens an Office file (a ZIP of XML parts) as if it were meant to harm: counts and names are checked, declared sizes
 * are checked before and real sizes while inflating, checksums after, and every XML part is inspected.
 *
 * @throws AnnealError DOCUMENT_HOSTILE, DOCUMENT_DAMAGED, DOCUMENT_ENCRYPTED.
 */
export async function readArchive(bytes: Uint8Array, limits: ParseLimits): Promise<Archive> {
  const zip = await openZip(bytes, limits);
  const { parts, damaged } = await inflateParts(zip, (name) => /\.(?:xml|rels)$/iu.test(name));
  for (const [name, part] of parts) parts.set(name, inspectXml(part, name, limits));
  return { parts, damaged, names: zip.entries.map((entry) => entry.fileName) };
}

/** The wanted entries by name. An entry that is there twice is refused: readers disagree on which one counts. */
export async function inflateParts(
  zip: Zip,
  isWanted: (name: string) => boolean,
): Promise<Pick<Archive, "parts" | "damaged">> {
  const parts = new Map<string, Uint8Array>();
  const damaged = new Map<string, AnnealError>();
  for (const entry of zip.entries) {
    const { fileName } = entry;
    if (!isWanted(fileName)) continue;
    if (parts.has(fileName) || damaged.has(fileName)) {
      throw documentError("DOCUMENT_HOSTILE", `The archive holds ${fileName} twice.`);
    }
    try {
      parts.set(fileName, await zip.inflate(entry));
    } catch (error) {
      if (!isAnnealError(error) || error.code !== "DOCUMENT_DAMAGED") throw error;
      damaged.set(fileName, error);
    }
  }
  return { parts, damaged };
}

/** @throws AnnealError DOCUMENT_DAMAGED where it is there and cannot be inflated */
export function partOf({ parts, damaged }: Pick<Archive, "parts" | "damaged">, name: string): Uint8Array | undefined {
  const damage = damaged.get(name);
  if (damage !== undefined) throw damage;
  return parts.get(name);
}

/** @throws AnnealError DOCUMENT_HOSTILE, DOCUMENT_DAMAGED. */
export async function openZip(bytes: Uint8Array, limits: ParseLimits): Promise<Zip> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const zip = await fromBufferPromise(buffer, { lazyEntries: true }).catch((error: unknown) => {
    throw damaged(error);
  });
  if (zip.entryCount > limits.maxArchiveEntries) {
    throw documentError(
      "DOCUMENT_HOSTILE",
      `The archive lists ${zip.entryCount} entries; the limit is ${limits.maxArchiveEntries}.`,
    );
  }
  const entries: Entry[] = [];
  try {
    for await (const entry of zip.eachEntry()) entries.push(entry);
  } catch (error) {
    throw damaged(error);
  }
  checkDeclaredSizes(entries, bytes.length, limits);

  let inflatedBytes = 0;
  return {
    entries,
    async inflate(entry) {
      if (entry.isEncrypted()) throw documentError("DOCUMENT_ENCRYPTED", "The document is protected by a password.");
      const header = await zip.readLocalFileHeaderPromise(entry, { minimal: true }).catch((error: unknown) => {
        throw damaged(error);
      });
      const data = buffer.subarray(header.fileDataStart, header.fileDataStart + entry.compressedSize);
      const part = inflate(entry, data, limits.maxInflatedBytes - inflatedBytes, limits);
      inflatedBytes += part.length;
      return part;
    },
  };
}

function checkDeclaredSizes(entries: readonly Entry[], archiveBytes: number, limits: ParseLimits): void {
  const declared = entries.reduce((sum, entry) => sum + entry.uncompressedSize, 0);
  const tooDense = declared > harmlessBytes && declared > archiveBytes * limits.maxExpansionRatio;
  if (declared > limits.maxInflatedBytes || tooDense) throw bomb(declared, archiveBytes, limits);
}

export function bomb(inflatedBytes: number, archiveBytes: number, limits: ParseLimits): Error {
  return documentError(
    "DOCUMENT_HOSTILE",
    `The archive of ${describeBytes(archiveBytes)} expands to ${describeBytes(inflatedBytes)} or more, as a zip bomb does; ` +
      `the limits are ${describeBytes(limits.maxInflatedBytes)} and ${limits.maxExpansionRatio} times its size.`,
    { details: { inflatedBytes, archiveBytes } },
  );
}

function inflate(entry: Entry, data: Buffer, leftBytes: number, limits: ParseLimits): Uint8Array {
  let part: Uint8Array = data;
  if (entry.compressionMethod === 8) {
    const cap = Math.min(leftBytes, entry.uncompressedSize);
    try {
      part = inflateRawSync(data, { maxOutputLength: Math.max(cap, 1) });
    } catch (error) {
      if (error instanceof RangeError) throw bomb(cap, data.length, limits);
      throw damaged(error);
    }
  } else if (entry.compressionMethod !== 0) {
    throw documentError("DOCUMENT_DAMAGED", `${entry.fileName} uses an unknown compression method.`);
  }
  if (part.length !== entry.uncompressedSize || crc32(part) !== entry.crc32) {
    throw documentError("DOCUMENT_DAMAGED", `${entry.fileName} inside the document does not match its checksum.`);
  }
  return part;
}

function damaged(error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  // yauzl refuses absolute and climbing names while it lists the entries.
  if (/absolute path|invalid relative path|invalid characters in fileName/u.test(reason)) {
    return documentError(
      "DOCUMENT_HOSTILE",
      `The archive holds a file name that leaves its folder (${reason.slice(0, 120)}).`,
    );
  }
  return documentError(
    "DOCUMENT_DAMAGED",
    `The archive inside the document cannot be read (${reason.slice(0, 120)}).`,
    { cause: error },
  );
}
