import { AnnealError } from "../errors.ts";
import type { Signature } from "./minhash.ts";

/** Everything that must agree for two signatures to be comparable. */
export type SignatureSettings = { bands: number; rows: number; shingleWords: number; seed: number };

export type StoredSignature = { contentHash: string; signature: Signature | null };

const version = 1;
const headerBytes = 46;

/**
 * Little-endian: version u8, rows u8, bands u16, shingle words u16, seed i32, minima u32, content hash (32 bytes),
 * then the minima as i32. About 870 bytes at the defaults.
 */
export function encodeSignature(stored: StoredSignature, settings: SignatureSettings): Uint8Array {
  const minima = stored.signature ?? new Int32Array(0);
  const bytes = new Uint8Array(headerBytes + minima.length * 4);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, version);
  view.setUint8(1, settings.rows);
  view.setUint16(2, settings.bands, true);
  view.setUint16(4, settings.shingleWords, true);
  view.setInt32(6, settings.seed, true);
  view.setUint32(10, minima.length, true);
  for (let i = 0; i < 32; i++) view.setUint8(14 + i, Number.parseInt(stored.contentHash.slice(i * 2, i * 2 + 2), 16));
  for (let i = 0; i < minima.length; i++) view.setInt32(headerBytes + i * 4, minima[i] as number, true);
  return bytes;
}

/** @throws AnnealError CONFLICT when the bytes were made with other settings, INVALID_INPUT when they are damaged. */
export function decodeSignature(bytes: Uint8Array, settings: SignatureSettings): StoredSignature {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length < headerBytes ? -1 : view.getUint32(10, true);
  if (count < 0 || view.getUint8(0) !== version || bytes.length !== headerBytes + count * 4) {
    throw new AnnealError("INVALID_INPUT", "A stored duplicate signature is damaged.", {
      action: "Sign the document again from its text.",
    });
  }
  const stored: SignatureSettings = {
    rows: view.getUint8(1),
    bands: view.getUint16(2, true),
    shingleWords: view.getUint16(4, true),
    seed: view.getInt32(6, true),
  };
  const names = ["rows", "bands", "shingleWords", "seed"] as const;
  if (names.some((name) => stored[name] !== settings[name]) || (count !== 0 && count !== stored.rows * stored.bands)) {
    throw new AnnealError("CONFLICT", "A stored duplicate signature was made with other deduplication settings.", {
      action: "Sign all documents again from their text after changing the deduplication policy.",
    });
  }
  let contentHash = "";
  for (let i = 0; i < 32; i++)
    contentHash += view
      .getUint8(14 + i)
      .toString(16)
      .padStart(2, "0");
  const minima = Int32Array.from({ length: count }, (_, i) => view.getInt32(headerBytes + i * 4, true));
  return { contentHash, signature: count === 0 ? null : minima };
}
