import { getServerSession } from "next-auth";
import { cache } from "react";
import { listMemberships } from "@anneal/db/queries/access";
import { authOptions } from "#server/auth/options.ts";
import { loadIdentity, type Identity } from "#server/auth/identity.ts";
import { database } from "#server/database.ts";

export type SessionUser = { userId: string; email: string; name: string };

declare module "next-auth" {
  interface Session {
    userId?: string;
  }
}

/** The signed-in person, or null. Once per request. */
export const getSessionUser = cache(async (): Promise<SessionUser | null> => {
  const options = authOptions();
  const session = await getServerSession({
    ...options,
    callbacks: { ...options.callbacks, session: ({ session: current, token }) => ({ ...current, userId: token.sub }) },
  });
  if (!session?.userId || !session.user?.email) return null;
  return { userId: session.userId, email: session.user.email, name: session.user.name ?? session.user.email };
});

export const getMemberships = cache((userId: string) => listMemberships(database(), userId));

/** Read from the database on every request: whoever is removed from a workspace is out with the next click. */
export async function authenticateSession(workspaceSlug: string): Promise<Identity | undefined> {
  const user = await getSessionUser();
  if (!user) return undefined;
  const membership = (await getMemberships(user.userId)).find((each) => each.workspaceSlug === workspaceSlug);
  return membership && loadIdentity(database(), { ...user, ...membership, via: { kind: "session" } });
}
