import { createCipheriv, randomBytes } from "node:crypto";

/** An envelope of version 1, as releases without a key ring stored it. */
export function sealWithoutKeyId(keyBase64: string, plain: Record<string, string>, purpose: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", Buffer.from(keyBase64, "base64"), nonce).setAAD(Buffer.from(purpose));
  const body = Buffer.concat([cipher.update(JSON.stringify(plain)), cipher.final()]);
  return Buffer.concat([Buffer.from([1]), nonce, cipher.getAuthTag(), body]);
}
