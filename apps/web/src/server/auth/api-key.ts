import { findApiKeyIdentity, touchApiKey } from "@anneal/db/queries/access";
import { hashApiKey } from "@anneal/db/api-key";
import type { Database } from "@anneal/db/database";
import { loadIdentity, type Identity } from "#server/auth/identity.ts";

const cacheMs = 5_000;
const cacheCapacity = 1_000;
const shape = /^ank_[A-Za-z0-9_-]{43}$/;

const cache = new Map<string, { identity: Identity | undefined; atMs: number }>();

/** Who the key acts as; a revocation, and leaving a group of a source, take effect within five seconds. undefined for anything that is not a living key. */
export async function authenticateApiKey(db: Database, key: string): Promise<Identity | undefined> {
  if (!shape.test(key)) return undefined;
  const hash = hashApiKey(key);
  const nowMs = Date.now();
  let entry = cache.get(hash);
  if (!entry || nowMs - entry.atMs > cacheMs) {
    const found = await findApiKeyIdentity(db, hash);
    const facts = found && { ...found, via: { kind: "apiKey" as const, apiKeyId: found.apiKeyId } };
    entry = { identity: facts && (await loadIdentity(db, facts)), atMs: nowMs };
    cache.delete(hash);
    cache.set(hash, entry);
    const oldest = cache.keys().next().value;
    if (cache.size > cacheCapacity && oldest !== undefined) cache.delete(oldest);
    if (found) await touchApiKey(db, found.apiKeyId);
  }
  return entry.identity;
}

/** "Bearer ank_…" -> the key. */
export function bearerKey(headers: Headers): string | undefined {
  return /^Bearer\s+(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
}
