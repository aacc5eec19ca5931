import type { Database, Scope } from "@anneal/db/database";
import { authenticateApiKey, bearerKey } from "#server/auth/api-key.ts";
import type { Identity } from "#server/auth/identity.ts";
import { authenticateSession, getMemberships } from "#server/auth/session.ts";
import { database } from "#server/database.ts";

export type Context = { db: Database; identity: Identity | undefined };

/** What a procedure works with once it knows who acts: the rows of one workspace. */
export type MemberContext = { db: Database; identity: Identity; scope: Scope };

/**
 * A session or an API key, within the workspace that the URL names. A key that is sent and not valid is no key: it
 * does not fall back to the session.
 */
export async function createContext(headers: Headers, workspaceSlug: string): Promise<Context> {
  const db = database();
  const key = bearerKey(headers);
  if (key === undefined) return { db, identity: await authenticateSession(workspaceSlug) };
  const identity = await authenticateApiKey(db, key);
  const memberships = identity ? await getMemberships(identity.userId) : [];
  const named = memberships.find((each) => each.workspaceSlug === workspaceSlug);
  return { db, identity: named?.workspaceId === identity?.workspaceId ? identity : undefined };
}
