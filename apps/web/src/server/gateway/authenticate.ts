import { authenticateApiKey, bearerKey } from "#server/auth/api-key.ts";
import type { Identity } from "#server/auth/identity.ts";
import { database } from "#server/database.ts";
import { unauthenticated } from "#server/gateway/openai-error.ts";

/** @throws AnnealError UNAUTHENTICATED */
export async function authenticateService(request: Request): Promise<Identity> {
  const key = bearerKey(request.headers);
  const identity = key === undefined ? undefined : await authenticateApiKey(database(), key);
  if (!identity) throw unauthenticated();
  return identity;
}
