import { createHash, randomBytes } from "node:crypto";

/** 256 random bits. The caller shows `key` once and stores only the rest. */
export function generateApiKey(): { key: string; prefix: string; hash: string } {
  const key = `ank_${randomBytes(32).toString("base64url")}`;
  return { key, prefix: key.slice(0, 10), hash: hashApiKey(key) };
}

/** Plain SHA-256: with 256 random bits there is nothing to guess, and every request has to look it up. */
export function hashApiKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}
