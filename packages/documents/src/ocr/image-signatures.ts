import { open } from "node:fs/promises";

/**
 * Pictures that Tesseract reads, by the whole of their signatures. What does not have one of these never reaches it:
 * Tesseract takes a file of an unknown kind for a list of other files to read.
 */
const signatures: { pattern: RegExp; mediaType: string; name: string }[] = [
  { pattern: /^\x89PNG\r\n\x1a\n/u, mediaType: "image/png", name: "a PNG image" },
  { pattern: /^\xff\xd8\xff/u, mediaType: "image/jpeg", name: "a JPEG image" },
  { pattern: /^GIF8[79]a/u, mediaType: "image/gif", name: "a GIF image" },
  { pattern: /^(?:II\*\0|MM\0\*)/u, mediaType: "image/tiff", name: "a TIFF image" },
  { pattern: /^RIFF[\s\S]{4}WEBP/u, mediaType: "image/webp", name: "a WebP image" },
];

const signatureBytes = 16;

export type ImageKind = { mediaType: string; name: string };

/** Null for anything but such a picture, also for a file that cannot be read: whoever reads it whole says what is wrong. */
export async function readImageKind(path: string): Promise<ImageKind | null> {
  const file = await open(path).catch(() => null);
  if (file === null) return null;
  try {
    const head = Buffer.alloc(signatureBytes);
    const { bytesRead } = await file.read(head, 0, signatureBytes, 0);
    return imageKindOf(head.subarray(0, bytesRead));
  } catch {
    return null;
  } finally {
    await file.close();
  }
}

/** As `readImageKind`, by a file's bytes or the first 16 of them. */
export function imageKindOf(bytes: Uint8Array): ImageKind | null {
  const start = Buffer.from(bytes.subarray(0, signatureBytes)).toString("latin1");
  const found = signatures.find(({ pattern }) => pattern.test(start));
  return found === undefined ? null : { mediaType: found.mediaType, name: found.name };
}

export function isPng(bytes: Buffer): boolean {
  return bytes.toString("latin1", 0, 8) === "\x89PNG\r\n\x1a\n";
}
