import type { Database } from "@anneal/db/database";
import { findUserByEmail, listMemberships, listWorkspaces } from "@anneal/db/queries/access";
import { recordAudit } from "@anneal/db/queries/audit";
import { recordRefusal } from "#server/audit/record-refusals.ts";
import { log } from "#server/log.ts";

/** How somebody came in, or did not. `client` is what the address of their browser is said to be: it can lie. */
type Attempt = { email: string; by: "password" | "single sign-on"; client: string | null };

const maxLength = 320;

/** In every workspace of the person. What cannot be recorded does not happen. */
export async function recordSignIn(db: Database, userId: string, { email, by, client }: Attempt): Promise<void> {
  for (const { workspaceId } of await listMemberships(db, userId))
    await recordAudit(
      { db, workspaceId },
      { actor: email, action: "signin", subject: `user:${email}`, details: { by, client } },
    );
}

/**
 * In the workspaces of the person whose address was tried; in all of them when nobody has it. Not waited for, so that
 * the time of the answer does not tell which it was.
 */
export function recordFailedSignIn(db: Database, { email, by, client }: Attempt, code: string): void {
  const tried = email.slice(0, maxLength).replaceAll("\u0000", "");
  const record = async () => {
    const user = await findUserByEmail(db, tried);
    const workspaceIds = user
      ? (await listMemberships(db, user.id)).map(({ workspaceId }) => workspaceId)
      : (await listWorkspaces(db)).map(({ id }) => id);
    const keys = [`tried ${tried}`, ...(client === null ? [] : [`from ${client}`])];
    for (const workspaceId of workspaceIds)
      await recordRefusal({ db, workspaceId }, keys, {
        actor: "nobody signed in",
        action: "signin.failed",
        subject: `user:${tried}`,
        details: { by, client, code },
      });
  };
  record().catch((error: unknown) => log.error({ err: String(error) }, "a failed sign-in could not be recorded"));
}
