import { sha256Hex } from "../dedupe/sha256.ts";

/** SHA-256 of a string's UTF-8 bytes as 64 hex digits. A caller with a native one may pass it in; ours is for everywhere else. */
export type Sha256 = (text: string) => string;

const encoder = new TextEncoder();
export const sha256OfText: Sha256 = (text) => sha256Hex(encoder.encode(text));

/**
 * A stable UUID (version 8 of RFC 9562: the first 128 bits of a SHA-256) for the parts that name something, so that
 * writing the same chunk twice writes one point. A cryptographic hash, because a document's author must not be able to
 * craft a text whose id is another document's.
 */
export function stableUuid(parts: readonly (string | number)[], sha256: Sha256 = sha256OfText): string {
  const hex = sha256(JSON.stringify(parts)).toLowerCase();
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
