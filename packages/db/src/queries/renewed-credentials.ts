import { isDeepStrictEqual } from "node:util";
import { AnnealError } from "@anneal/core/errors";
import { and, eq, sql } from "drizzle-orm";
import { inWorkspace, type Scope, type Transaction } from "../database.ts";
import { sourceDrafts, sources } from "../schema.ts";
import type { SecretBox } from "../secret-box.ts";

type Secrets = Record<string, string>;

/**
 * Exchanges credentials for their successors: `renew` gets those that are stored now and returns all that are to be stored
 * from then on. No second exchange of the same credentials runs meanwhile, in any process, because a service may take the
 * use of one that was exchanged already for theft. Durable when this resolves; when `renew` or the write fails, what was
 * stored stays. What a person has entered meanwhile stays as well.
 * @param ownerId the row that the credentials are bound to: a source, or a draft
 * @throws AnnealError SOURCE_CREDENTIALS when there are none to exchange
 */
export async function renewCredentials(
  scope: Scope,
  box: SecretBox,
  ownerId: string,
  renew: (stored: Secrets) => Promise<Secrets>,
): Promise<void> {
  await inWorkspace(scope, async (tx) => {
    // The row itself stays free: whatever is stored of its documents meanwhile would wait for it.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`credentials:${ownerId}`}, 0))`);
    const before = await findStored(scope, tx, ownerId);
    if (before === null) throw noCredentials();
    const stored = box.open(before.envelope, ownerId);
    const renewed = await renew(stored);
    if (isDeepStrictEqual(renewed, stored)) return;
    const present = await findStored(scope, tx, ownerId, "locked");
    // Sealed with another key it is the same credential; another credential is a person's.
    if (present === null || !isDeepStrictEqual(box.open(present.envelope, ownerId), stored)) return;
    const { table } = present;
    await tx
      .update(table)
      .set({ sealedSecrets: box.seal(renewed, ownerId) })
      .where(and(eq(table.id, ownerId), eq(table.workspaceId, scope.workspaceId)));
  });
}

async function findStored(scope: Scope, tx: Transaction, ownerId: string, lock?: "locked") {
  for (const table of [sources, sourceDrafts]) {
    const query = tx
      .select({ envelope: table.sealedSecrets })
      .from(table)
      .where(and(eq(table.id, ownerId), eq(table.workspaceId, scope.workspaceId)));
    const [row] = await (lock ? query.for("update") : query);
    if (row?.envelope) return { table, envelope: row.envelope };
  }
  return null;
}

function noCredentials(): AnnealError {
  return new AnnealError("SOURCE_CREDENTIALS", "There are no stored credentials to renew.", {
    action: "Sign in again, or enter the credentials again.",
  });
}
