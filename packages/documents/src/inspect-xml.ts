import { documentError } from "./document-errors.ts";
import type { ParseLimits } from "./limits.ts";

const LT = 0x3c;
const GT = 0x3e;
const SLASH = 0x2f;

/**
 * Refuses what no Office application writes and what harms parsers: a document type (entity bombs, external entities)
 * and nesting beyond the limit. One linear pass over the bytes, before any real parser sees them.
 *
 * @returns the part as UTF-8 bytes; a part in UTF-16 is converted, so that nothing hides from this pass.
 */
export function inspectXml(bytes: Uint8Array, partName: string, limits: ParseLimits): Uint8Array {
  const wide =
    (bytes[0] === 0xff && bytes[1] === 0xfe) || bytes[1] === 0
      ? "utf-16le"
      : bytes[0] === 0xfe || bytes[0] === 0
        ? "utf-16be"
        : null;
  if (wide !== null && bytes.length > 1) {
    const text = new TextDecoder(wide).decode(bytes);
    // Its declaration, if any, names the encoding that it no longer has.
    const declaration = text.startsWith("<?xml") ? text.indexOf("?>") + 2 : 0;
    return inspectXml(new TextEncoder().encode(text.slice(declaration)), partName, limits);
  }
  let depth = 0;
  let index = bytes.indexOf(LT);
  while (index !== -1) {
    const next = bytes[index + 1];
    if (next === 0x21) {
      index = skipDeclaration(bytes, index, partName);
    } else if (next === 0x3f) {
      index = endOf(bytes, "?>", index);
    } else {
      const end = endOfTag(bytes, index);
      if (next === SLASH) depth -= 1;
      else if (bytes[end - 1] !== SLASH) depth += 1;
      if (depth > limits.maxXmlDepth) {
        throw documentError("DOCUMENT_HOSTILE", `${partName} nests more than ${limits.maxXmlDepth} XML elements.`);
      }
      index = end;
    }
    index = index === -1 ? -1 : bytes.indexOf(LT, index);
  }
  return bytes;
}

function skipDeclaration(bytes: Uint8Array, index: number, partName: string): number {
  if (startsWith(bytes, "<!--", index)) return endOf(bytes, "-->", index + 4);
  if (startsWith(bytes, "<![CDATA[", index)) return endOf(bytes, "]]>", index + 9);
  throw documentError(
    "DOCUMENT_HOSTILE",
    `${partName} declares a document type, which can hold an entity bomb; Office files have none.`,
  );
}

/** Position of the ">" that ends a tag; one inside a quoted attribute does not. */
function endOfTag(bytes: Uint8Array, index: number): number {
  let quote = 0;
  for (let at = index + 1; at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    if (quote !== 0) {
      if (byte === quote) quote = 0;
    } else if (byte === GT) return at;
    else if (byte === 0x22 || byte === 0x27) quote = byte;
  }
  return bytes.length;
}

function endOf(bytes: Uint8Array, text: string, from: number): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(text, from, "latin1");
}

function startsWith(bytes: Uint8Array, text: string, at: number): boolean {
  return [...text].every((character, offset) => bytes[at + offset] === character.charCodeAt(0));
}
