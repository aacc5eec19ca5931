import { sha256Hex } from "./sha256.ts";

/**
 * The identity of a text: equal for texts that differ only in Unicode composition or in white space. Case, digits and
 * punctuation count, because "-5" is not "5".
 *
 * @returns SHA-256, as 64 hexadecimal digits, of the UTF-8 of `text.normalize("NFC").replace(/\s+/g, " ").trim()`.
 */
export function hashText(text: string): string {
  return sha256Hex(collapsedUtf8(text.normalize("NFC")));
}

const encoder = new TextEncoder();
let scratch = new Uint8Array(4096);

/** Valid until the next call. One pass for ASCII, because this runs over every byte of every document. */
function collapsedUtf8(text: string): Uint8Array {
  if (scratch.length < text.length) scratch = new Uint8Array(text.length * 2);
  const bytes = scratch;
  let length = 0;
  let pendingSpace = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return encoder.encode(text.replace(/\s+/g, " ").trim());
    if (code === 0x20 || (code >= 0x09 && code <= 0x0d)) {
      pendingSpace = length > 0;
      continue;
    }
    if (pendingSpace) bytes[length++] = 0x20;
    pendingSpace = false;
    bytes[length++] = code;
  }
  return bytes.subarray(0, length);
}
