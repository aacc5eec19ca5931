import type { Principal } from "@anneal/core/access/acl";
import { AnnealError } from "@anneal/core/errors";
import { listMembers } from "@anneal/db/queries/access";
import { recordAudit } from "@anneal/db/queries/audit";
import { loadIdentity } from "#server/auth/identity.ts";
import type { MemberContext } from "#server/context.ts";

/** A view that stays open asks again whenever a document changes; within this it is one look. */
const oneLookMs = 3_600_000;
const looks = new Map<string, { startMs: number; recorded: Promise<void> }>();

/**
 * Whose documents a list shows: undefined for all of them, as administrators see it; one's own; or, for an
 * administrator, those that a member may read. This only chooses rows: what the caller may open stays as it is.
 * @param viewAs the member's user id
 * @throws AnnealError FORBIDDEN for who is no administrator, NOT_FOUND for who is no member of this workspace
 */
export async function listReaders(ctx: MemberContext, viewAs: string | undefined): Promise<Principal[] | undefined> {
  const { scope, db, identity } = ctx;
  if (viewAs === undefined) return identity.role === "admin" ? undefined : identity.principals;
  if (identity.role !== "admin")
    throw new AnnealError("FORBIDDEN", "Only an administrator may see the documents as another member does.", {
      action: "Go back to your own view.",
    });
  const member = (await listMembers(scope)).find(({ userId }) => userId === viewAs);
  if (!member)
    throw new AnnealError("NOT_FOUND", "There is no such member of this workspace.", {
      action: "Go back to your own view, and choose somebody who is a member.",
    });
  await recordLook(ctx, member.email);
  const { userId, email, role } = member;
  const { workspaceId } = scope;
  return (await loadIdentity(db, { userId, email, role, workspaceId, via: { kind: "session" } })).principals;
}

/** Before anything is shown; all that asks for the same look waits for the one record, and fails with it. */
async function recordLook({ db, identity }: MemberContext, email: string): Promise<void> {
  const { workspaceId } = identity;
  const key = JSON.stringify([workspaceId, identity.userId, email]);
  const nowMs = Date.now();
  for (const [each, { startMs }] of looks) if (nowMs - startMs >= oneLookMs) looks.delete(each);
  const known = looks.get(key);
  if (known) return known.recorded;
  // A scope of its own: how one call ends does not tell how the look did, of which there are several.
  const recorded = recordAudit(
    { db, workspaceId },
    { actor: identity.email, action: "document.viewAs", subject: `user:${email}` },
  );
  looks.set(key, { startMs: nowMs, recorded });
  try {
    await recorded;
  } catch (error) {
    looks.delete(key);
    throw error;
  }
}
