import { decodeText } from "../decode-text.ts";
import { documentError } from "../document-errors.ts";
import type { ParseLimits } from "../limits.ts";
import { type Part, type ParsePart, readParts } from "../nested-parts.ts";
import type { Parsed } from "../sections.ts";
import { attachmentName } from "./mail.ts";

/** The signature and a key that nobody uses. */
const headerBytes = 6;
/** Level, attribute and length before its data, a checksum behind it. */
const attributeBytes = 9;
const checksumBytes = 2;

const attachRenderingData = 0x9002;
const attachTitle = 0x8010;
const attachData = 0x800f;
const attachProperties = 0x9005;

const longFileName = 0x3707;
const unicodeType = 0x001f;
/** MS-OXCDATA 2.11.1: how long a value of a fixed length is, filled up to four bytes. */
const fixedBytes = new Map([
  ...[0x0002, 0x0003, 0x0004, 0x000a, 0x000b].map((type) => [type, 4] as const),
  ...[0x0005, 0x0006, 0x0007, 0x0014, 0x0040].map((type) => [type, 8] as const),
  [0x0048, 16] as const,
]);
const manyValues = 0x1000;
const firstNamed = 0x8000;

type Attached = { title: string; longName: string; data: Uint8Array | null };

/**
 * What Outlook packs an e-mail's attachments into where it writes in its own format (winmail.dat, MS-OXTNEF): each is read as
 * the document that it is. The body is packed there as well, and stands in the e-mail around it as plain text.
 */
export async function parseTnef(bytes: Uint8Array, limits: ParseLimits, parseAttachment: ParsePart): Promise<Parsed> {
  const parts = attachedTo(bytes).map(({ title, longName, data }, index): Part => {
    const read = () => {
      // Another message or an object of a program, as a property.
      if (data === null) throw documentError("DOCUMENT_UNSUPPORTED", "It is packed in a way that is not opened.");
      return data;
    };
    const name = attachmentName(longName) || attachmentName(title) || `attachment-${index + 1}`;
    return { name, sizeBytes: data?.length ?? 0, read };
  });
  const { failures: _failures, ...attached } = await readParts(
    parts,
    "attachment",
    limits.maxAttachments,
    limits,
    parseAttachment,
  );
  return { title: null, ...attached };
}

function attachedTo(bytes: Uint8Array): Attached[] {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const attached: Attached[] = [];
  let at = headerBytes;
  while (at + attributeBytes <= file.length) {
    const attribute = file.readUInt16LE(at + 1);
    const start = at + attributeBytes;
    const end = start + file.readUInt32LE(at + 5);
    if (end > file.length) throw cutOff();
    const data = file.subarray(start, end);
    const last = attached.at(-1);
    if (attribute === attachRenderingData) attached.push({ title: "", longName: "", data: null });
    else if (last !== undefined && attribute === attachTitle) last.title = textOf(data);
    else if (last !== undefined && attribute === attachData) last.data = data;
    else if (last !== undefined && attribute === attachProperties) last.longName = longNameIn(data);
    at = end + checksumBytes;
  }
  // Some mail programs fill the file up.
  if (file.subarray(at).some((byte) => byte !== 0)) throw cutOff();
  return attached;
}

function cutOff(): Error {
  return documentError("DOCUMENT_DAMAGED", "The file is cut off: its end is missing.");
}

/** Of MAPI properties (MS-OXTNEF 2.1.3.4); empty where they do not name it, or make no sense. */
function longNameIn(properties: Buffer): string {
  let at = 4;
  try {
    for (let left = properties.readUInt32LE(0); left > 0; left -= 1) {
      const type = properties.readUInt16LE(at);
      const id = properties.readUInt16LE(at + 2);
      at += 4;
      if (id >= firstNamed) at += 16 + nameBytes(properties, at + 16);
      const fixed = fixedBytes.get(type & ~manyValues);
      const count = fixed === undefined || (type & manyValues) !== 0 ? properties.readUInt32LE(at) : null;
      if (count !== null) at += 4;
      if (fixed !== undefined) at += fixed * (count ?? 1);
      else {
        for (let value = 0; value < count!; value += 1) {
          const length = properties.readUInt32LE(at);
          const data = properties.subarray(at + 4, at + 4 + length);
          if (id === longFileName)
            return type === unicodeType ? data.toString("utf16le").replace(/\0.*$/su, "") : textOf(data);
          at += 4 + padded(length);
        }
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return "";
}

/** The name of a named property is a number, or a text behind its length. */
function nameBytes(properties: Buffer, at: number): number {
  const isNumber = properties.readUInt32LE(at) === 0;
  return 8 + (isNumber ? 0 : padded(properties.readUInt32LE(at + 4)));
}

const padded = (length: number): number => Math.ceil(length / 4) * 4;

function textOf(data: Buffer): string {
  return decodeText(data.subarray(0, data.indexOf(0) === -1 ? data.length : data.indexOf(0))).text;
}
