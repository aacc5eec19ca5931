import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { AnnealError } from "@anneal/core/errors";

/**
 * AES-256-GCM envelopes for source credentials: version (1 byte, 2) | key id (8) | nonce (12) | tag (16) | ciphertext.
 * What stands before the nonce is authenticated, and the purpose (a source's id) with it, so that an envelope moved to
 * another row does not open. Version 1 named no key and authenticated the purpose alone; it opens with whichever key fits.
 */
export type SecretBox = {
  /** With the present key. */
  seal(plain: Record<string, string>, purpose: string): Buffer;
  /** @throws AnnealError SOURCE_CREDENTIALS */
  open(sealed: Buffer, purpose: string): Record<string, string>;
  /** Ids of the keys that open, the present one first. An id says nothing of its key and may be shown. */
  keyIds: readonly [string, ...string[]];
};

const version = 2;
const versionWithoutKeyId = 1;
const keyIdBytes = 8;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * @param keyBase64 the present key: 32 bytes, base64
 * @param oldKeysBase64 keys that seal nothing any more and still open what they sealed
 * @throws AnnealError INVALID_INPUT that never repeats a key
 */
export function createSecretBox(keyBase64: string, oldKeysBase64: readonly string[] = []): SecretBox {
  const present = readKey(keyBase64, "The encryption key");
  const old = oldKeysBase64.map((key) => readKey(key, "One of the old encryption keys"));
  const keys = new Map([present, ...old].map((key) => [idOfKey(key), key]));
  const presentId = idOfKey(present);

  return {
    keyIds: [presentId, ...[...keys.keys()].slice(1)],
    seal(plain, purpose) {
      const header = Buffer.concat([Buffer.from([version]), Buffer.from(presentId, "hex")]);
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", present, nonce).setAAD(
        Buffer.concat([header, Buffer.from(purpose)]),
      );
      const body = Buffer.concat([cipher.update(JSON.stringify(plain), "utf8"), cipher.final()]);
      return Buffer.concat([header, nonce, cipher.getAuthTag(), body]);
    },
    open(sealed, purpose) {
      const keyId = keyIdOf(sealed);
      if (keyId !== null) {
        const key = keys.get(keyId);
        if (key === undefined) throw cannotOpen(`with the key ${keyId}, which is not among those that are set`);
        const header = sealed.subarray(0, 1 + keyIdBytes);
        const opened = openEnvelope(key, sealed, header.length, Buffer.concat([header, Buffer.from(purpose)]));
        if (opened === null) throw cannotOpen("for another source, or were damaged");
        return opened;
      }
      if (sealed[0] === versionWithoutKeyId) {
        for (const key of keys.values()) {
          const opened = openEnvelope(key, sealed, 1, Buffer.from(purpose));
          if (opened !== null) return opened;
        }
      }
      throw cannotOpen("with a key that is not among those that are set");
    },
  };
}

/** Of the key that an envelope was sealed with, as in `SecretBox.keyIds`; null where the envelope does not say. */
export function keyIdOf(sealed: Buffer): string | null {
  return sealed[0] === version ? sealed.subarray(1, 1 + keyIdBytes).toString("hex") : null;
}

/** 32 random bytes, base64. */
export function createEncryptionKey(): string {
  return randomBytes(32).toString("base64");
}

function readKey(keyBase64: string, subject: string): Buffer {
  const key = Buffer.from(keyBase64, "base64");
  if (key.length === 32) return key;
  throw new AnnealError("INVALID_INPUT", `${subject} is not 32 bytes of base64.`, {
    action: "Make one with `npm run anneal -- keys new`, or with `openssl rand -base64 32`.",
  });
}

function idOfKey(key: Buffer): string {
  return createHmac("sha256", key)
    .update("id of an encryption key of Anneal")
    .digest("hex")
    .slice(0, 2 * keyIdBytes);
}

/** @returns null when the key, the purpose or the envelope is another one */
function openEnvelope(key: Buffer, sealed: Buffer, at: number, purpose: Buffer): Record<string, string> | null {
  const tagAt = at + nonceBytes;
  const bodyAt = tagAt + tagBytes;
  try {
    // Without a length a tag that was cut short would do, and a short tag can be guessed.
    const options = { authTagLength: tagBytes };
    const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(at, tagAt), options);
    decipher.setAAD(purpose).setAuthTag(sealed.subarray(tagAt, bodyAt));
    const body = Buffer.concat([decipher.update(sealed.subarray(bodyAt)), decipher.final()]);
    return JSON.parse(body.toString("utf8")) as Record<string, string>;
  } catch {
    return null;
  }
}

function cannotOpen(how: string): AnnealError {
  return new AnnealError("SOURCE_CREDENTIALS", `The stored credentials cannot be opened: they were sealed ${how}.`, {
    action:
      "Name the key that they were saved with in ANNEAL_ENCRYPTION_KEYS_OLD and restart, or enter the credentials again.",
  });
}
