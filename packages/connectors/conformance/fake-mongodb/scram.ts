import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";

/** The server's half of SCRAM-SHA-256, RFC 7677 and RFC 5802. */
const iterations = 4096;

export type ScramServer = { user: string; first: string; finish(clientFinal: string): string | null };

/** @returns null for a message that is none */
export function startScram(clientFirst: string, passwordOf: (user: string) => string): ScramServer | null {
  const [, bare, user, clientNonce] = /^n,,(n=([^,]*),r=(.+))$/.exec(clientFirst) ?? [];
  if (bare === undefined || user === undefined || clientNonce === undefined) return null;
  const name = user.replaceAll("=2C", ",").replaceAll("=3D", "=");
  const nonce = clientNonce + randomBytes(18).toString("base64");
  const salt = randomBytes(16);
  const first = `r=${nonce},s=${salt.toString("base64")},i=${iterations}`;
  return {
    user: name,
    first,
    /** @returns the server's signature, or null for a wrong password */
    finish(clientFinal) {
      const [, withoutProof, proof] = /^(c=biws,r=.+),p=(.+)$/.exec(clientFinal) ?? [];
      if (withoutProof !== `c=biws,r=${nonce}` || proof === undefined) return null;
      const salted = pbkdf2Sync(passwordOf(name), salt, iterations, 32, "sha256");
      const message = [bare, first, withoutProof].join(",");
      const clientKey = hmac(salted, "Client Key");
      const storedKey = createHash("sha256").update(clientKey).digest();
      const signature = hmac(storedKey, message);
      const expected = Buffer.from(clientKey.map((byte, index) => byte ^ signature[index]!));
      const given = Buffer.from(proof, "base64");
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
      return `v=${hmac(hmac(salted, "Server Key"), message).toString("base64")}`;
    },
  };
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
