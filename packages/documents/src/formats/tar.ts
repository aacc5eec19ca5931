import { documentError } from "../document-errors.ts";
import type { ParseLimits } from "../limits.ts";

export type TarFile = { name: string; bytes: Uint8Array };

const blockBytes = 512;

/**
 * The plain files of a tar archive (ustar, GNU long names, pax paths), as views into its bytes. Links and devices are
 * left out; a name that is there twice stands for its last content, as when the archive is unpacked.
 *
 * @throws AnnealError DOCUMENT_DAMAGED, DOCUMENT_HOSTILE.
 */
export function readTar(bytes: Uint8Array, limits: ParseLimits): TarFile[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const files = new Map<string, TarFile>();
  let at = 0;
  let count = 0;
  let longName: string | null = null;
  while (at + blockBytes <= buffer.length) {
    const header = buffer.subarray(at, at + blockBytes);
    // An empty block ends the archive; what stands behind it belongs to nobody.
    if (header.every((byte) => byte === 0)) return [...files.values()];
    checkSum(header);
    count += 1;
    if (count > limits.maxArchiveEntries) {
      throw documentError(
        "DOCUMENT_HOSTILE",
        `The archive lists more than ${limits.maxArchiveEntries} entries, which is the limit.`,
      );
    }
    const size = sizeOf(header);
    const start = at + blockBytes;
    if (start + size > buffer.length) throw cutOff();
    const content = buffer.subarray(start, start + size);
    at = start + Math.ceil(size / blockBytes) * blockBytes;
    const type = String.fromCharCode(header[156]!);
    if (type === "L") longName = text(content);
    else if (type === "x") longName = paxPath(content) ?? longName;
    else if (type !== "g" && type !== "K") {
      const name = longName ?? shortName(header);
      longName = null;
      if (type !== "0" && type !== "\0" && type !== "7") continue;
      if (name.endsWith("/")) continue;
      const tidy = name.replace(/^(?:\.\/)+/u, "");
      if (tidy === "") continue;
      checkName(tidy);
      files.delete(tidy);
      files.set(tidy, { name: tidy, bytes: content });
    }
  }
  // Some programs leave the empty blocks out; a rest of less than a block is a cut.
  if (at < buffer.length) throw cutOff();
  return [...files.values()];
}

/** Header fields are octal, or, for large files, base 256 with the first bit set. */
function sizeOf(header: Buffer): number {
  const field = header.subarray(124, 136);
  const size =
    (field[0]! & 0x80) === 0
      ? Number.parseInt(text(field).trim() || "0", 8)
      : field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
  if (!Number.isSafeInteger(size) || size < 0)
    throw documentError("DOCUMENT_DAMAGED", "The archive's sizes make no sense.");
  return size;
}

function checkSum(header: Buffer): void {
  const declared = Number.parseInt(text(header.subarray(148, 156)).trim(), 8);
  // The sum is made with spaces in its own place.
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  if (sum !== declared) throw documentError("DOCUMENT_DAMAGED", "The archive's headers do not match their checksums.");
}

function shortName(header: Buffer): string {
  const name = text(header.subarray(0, 100));
  const isUstar = header.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isUstar ? text(header.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** A pax record is "length key=value\n", its length counting itself. */
function paxPath(content: Buffer): string | null {
  let at = 0;
  while (at < content.length) {
    const space = content.indexOf(0x20, at);
    const length = space === -1 ? 0 : Number(content.toString("latin1", at, space));
    if (!Number.isSafeInteger(length) || length <= space - at) return null;
    const record = content.toString("utf8", space + 1, at + length - 1);
    if (record.startsWith("path=")) return record.slice("path=".length);
    at += length;
  }
  return null;
}

function checkName(name: string): void {
  if (name.startsWith("/") || /^[A-Za-z]:/u.test(name) || name.split(/[/\\]/u).includes("..")) {
    throw documentError(
      "DOCUMENT_HOSTILE",
      `The archive holds a file name that leaves its folder (${name.slice(0, 120)}).`,
    );
  }
}

function cutOff(): Error {
  return documentError("DOCUMENT_DAMAGED", "The archive is cut off: a file in it is longer than what is left.");
}

/** Bytes up to the first zero. */
function text(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end === -1 ? field.length : end);
}
