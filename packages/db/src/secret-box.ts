import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { AnnealError } from "@anneal/core/errors";

/**
 * AES-256-GCM envelopes for source credentials: version (1 byte) | nonce (12) | tag (16) | ciphertext.
 * The purpose (a source's id) is authenticated, so that an envelope moved to another row does not open.
 */
export type SecretBox = {
  seal(plain: Record<string, string>, purpose: string): Buffer;
  open(sealed: Buffer, purpose: string): Record<string, string>;
};

const version = 1;
const tagBytes = 16;

/** @param keyBase64 32 bytes, base64. */
export function createSecretBox(keyBase64: string): SecretBox {
  const key = Buffer.from(keyBase64, "base64");
  if (key.length !== 32) {
    throw new AnnealError("INVALID_INPUT", "The encryption key is not 32 bytes of base64.", {
      action: "Set ANNEAL_ENCRYPTION_KEY to the output of `openssl rand -base64 32`.",
    });
  }
  return {
    seal(plain, purpose) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(purpose));
      const body = Buffer.concat([cipher.update(JSON.stringify(plain), "utf8"), cipher.final()]);
      return Buffer.concat([Buffer.from([version]), nonce, cipher.getAuthTag(), body]);
    },
    open(sealed, purpose) {
      try {
        if (sealed[0] !== version) throw new Error(`unknown version ${sealed[0]}`);
        // Without a length a tag that was cut short would do, and a short tag can be guessed.
        const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(1, 13), { authTagLength: tagBytes });
        decipher.setAAD(Buffer.from(purpose)).setAuthTag(sealed.subarray(13, 29));
        const body = Buffer.concat([decipher.update(sealed.subarray(29)), decipher.final()]);
        return JSON.parse(body.toString("utf8")) as Record<string, string>;
      } catch (cause) {
        throw new AnnealError(
          "SOURCE_CREDENTIALS",
          "The stored credentials cannot be opened with this encryption key.",
          {
            action: "Restore the ANNEAL_ENCRYPTION_KEY they were saved with, or enter the credentials again.",
            cause,
          },
        );
      }
    },
  };
}
