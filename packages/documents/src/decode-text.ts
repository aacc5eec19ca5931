import { countOf } from "./document-errors.ts";

export type DecodedText = { text: string; encoding: string; warnings: string[] };

/**
 * Bytes to text: byte order mark, then ISO-2022-JP where it is declared, then strict UTF-8, then UTF-16 by its zero bytes, then the declared encoding, then
 * windows-1252. Nothing is thrown away: a text that is mostly UTF-8 keeps its good parts, and each bad sequence
 * becomes U+FFFD and is counted in a warning.
 *
 * @param declared a label from a header or a meta element, for example "iso-8859-1"; ignored when unknown.
 */
export function decodeText(bytes: Uint8Array, declared?: string): DecodedText {
  const marked = byteOrderMark(bytes);
  if (marked !== null) return decodeAs(bytes, marked);
  // The one encoding of pages whose bytes are all ASCII and yet no text of it.
  if (bytes.includes(0x1b) && declared !== undefined && knownEncoding(declared) === "iso-2022-jp") {
    return decodeAs(bytes, "iso-2022-jp");
  }
  const utf8 = tryStrict(bytes, "utf-8");
  if (utf8 !== null && !utf8.slice(0, 4096).includes("\0")) return { text: utf8, encoding: "utf-8", warnings: [] };
  const wide = utf16ByZeroBytes(bytes);
  if (wide !== null) return decodeAs(bytes, wide);
  if (utf8 !== null) return { text: utf8, encoding: "utf-8", warnings: [] };

  const label = declared === undefined ? null : knownEncoding(declared);
  if (label !== null && label !== "utf-8") return decodeAs(bytes, label);
  if (label === "utf-8" || isDamagedUtf8(bytes)) return decodeAs(bytes, "utf-8");
  const { text } = decodeAs(bytes, "windows-1252");
  return {
    text,
    encoding: "windows-1252",
    warnings: ["The text is not UTF-8 and names no encoding; it was read as windows-1252."],
  };
}

function decodeAs(bytes: Uint8Array, encoding: string): DecodedText {
  const text = new TextDecoder(encoding).decode(bytes);
  const strict = tryStrict(bytes, encoding);
  if (strict !== null) return { text, encoding, warnings: [] };
  const replaced = text.split("\uFFFD").length - 1;
  return {
    text,
    encoding,
    warnings: [`${countOf(replaced, "byte sequence")} not valid in ${encoding}, replaced by \uFFFD.`],
  };
}

function tryStrict(bytes: Uint8Array, encoding: string): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function knownEncoding(label: string): string | null {
  try {
    return new TextDecoder(label.trim()).encoding;
  } catch {
    return null;
  }
}

function byteOrderMark(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8";
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  return null;
}

/** Latin text in UTF-16 has a zero in nearly every second byte; no 8-bit text has. */
export function utf16ByZeroBytes(bytes: Uint8Array): "utf-16le" | "utf-16be" | null {
  const length = Math.min(bytes.length, 4096) & ~1;
  if (length < 4) return null;
  let even = 0;
  let odd = 0;
  for (let index = 0; index < length; index += 2) {
    if (bytes[index] === 0) even += 1;
    if (bytes[index + 1] === 0) odd += 1;
  }
  const pairs = length / 2;
  if (odd > pairs * 0.7 && even < pairs * 0.05) return "utf-16le";
  if (even > pairs * 0.7 && odd < pairs * 0.05) return "utf-16be";
  return null;
}

/**
 * A damaged UTF-8 text has more whole multi-byte sequences than broken ones, or bytes that windows-1252 leaves
 * undefined; an 8-bit text has neither.
 */
function isDamagedUtf8(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, 1 << 20);
  if (head.some((byte) => undefinedInWindows1252.has(byte))) return true;
  let good = 0;
  let bad = 0;
  for (const character of new TextDecoder("utf-8").decode(head)) {
    if (character === "\uFFFD") bad += 1;
    else if (character.charCodeAt(0) > 0x7f) good += 1;
  }
  return good > bad;
}

const undefinedInWindows1252 = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);
