import { and, asc, eq, isNotNull } from "drizzle-orm";
import { inWorkspace, type Database, type Scope, type Transaction } from "../database.ts";
import { sourceDrafts, sources } from "../schema.ts";
import { keyIdOf, type SecretBox } from "../secret-box.ts";
import { listWorkspaces } from "./access.ts";
import { appendAudit } from "./audit.ts";

export type SealedAnew = {
  /** Sealed with the present key by this call. */
  sealedCount: number;
  /** Sealed with it before. */
  presentCount: number;
  /** No key that is set opens them; they are left as they were. */
  unopened: { workspace: string; source: string; error: unknown }[];
};

/**
 * Seals all stored credentials with the box's present key, those of removed sources too, which can be taken back. Each
 * workspace is one transaction, and what is sealed with the present key already is left alone: it can be stopped and
 * called again. Who saves a credential meanwhile waits for it.
 * @param actor whom the audit trail names
 */
export async function sealCredentialsAnew(db: Database, box: SecretBox, actor: string): Promise<SealedAnew> {
  const done: SealedAnew = { sealedCount: 0, presentCount: 0, unopened: [] };
  for (const { id: workspaceId, slug } of await listWorkspaces(db)) {
    const scope = { db, workspaceId };
    const { sealedCount, presentCount, unopened } = await inWorkspace(scope, (tx) =>
      sealWorkspace(scope, tx, box, actor),
    );
    done.sealedCount += sealedCount;
    done.presentCount += presentCount;
    for (const { name, error } of unopened) done.unopened.push({ workspace: slug, source: name, error });
  }
  return done;
}

async function sealWorkspace(scope: Scope, tx: Transaction, box: SecretBox, actor: string) {
  const isPresent = ({ envelope }: Stored) => keyIdOf(envelope) === box.keyIds[0];
  const before = await readStored(scope, tx);
  const unopened: { name: string; error: unknown }[] = [];
  if (before.every(isPresent)) return { sealedCount: 0, presentCount: before.length, unopened };
  // First, as everywhere: no record, no change.
  await appendAudit(scope, tx, {
    actor,
    action: "credentials.seal-anew",
    subject: `workspace:${scope.workspaceId}`,
    details: { key: box.keyIds[0] },
  });
  const stored = await readStored(scope, tx, "locked");
  const due = stored.filter((row) => !isPresent(row));
  for (const row of due) {
    const { secrets, error } = tryOpen(box, row);
    if (secrets === null) unopened.push({ name: row.name, error });
    else await saveEnvelope(scope, tx, row, box.seal(secrets, row.purpose));
  }
  return { sealedCount: due.length - unopened.length, presentCount: stored.length - due.length, unopened };
}

function tryOpen(box: SecretBox, { envelope, purpose }: Stored) {
  try {
    return { secrets: box.open(envelope, purpose), error: null };
  } catch (error) {
    return { secrets: null, error };
  }
}

/** A row that holds credentials; `purpose` is what its envelope is bound to. */
type Stored = {
  table: typeof sources | typeof sourceDrafts;
  id: string;
  name: string;
  envelope: Buffer;
  purpose: string;
};

async function readStored(scope: Scope, tx: Transaction, lock?: "locked"): Promise<Stored[]> {
  const ofSources = tx
    .select({ id: sources.id, name: sources.name, envelope: sources.sealedSecrets, purpose: sources.id })
    .from(sources)
    .where(and(eq(sources.workspaceId, scope.workspaceId), isNotNull(sources.sealedSecrets)))
    .orderBy(asc(sources.id));
  const ofDrafts = tx
    .select({
      id: sourceDrafts.id,
      name: sourceDrafts.kind,
      envelope: sourceDrafts.sealedSecrets,
      purpose: sourceDrafts.sealedFor,
    })
    .from(sourceDrafts)
    .where(and(eq(sourceDrafts.workspaceId, scope.workspaceId), isNotNull(sourceDrafts.sealedSecrets)))
    .orderBy(asc(sourceDrafts.id));
  const found = [
    ...(await (lock ? ofSources.for("update") : ofSources)).map((row) => ({ ...row, table: sources })),
    ...(await (lock ? ofDrafts.for("update") : ofDrafts)).map((row) => ({ ...row, table: sourceDrafts })),
  ];
  return found.flatMap(({ envelope, ...row }) => (envelope === null ? [] : [{ ...row, envelope }]));
}

async function saveEnvelope(
  scope: Scope,
  tx: Transaction,
  { table, id }: Stored,
  sealedSecrets: Buffer,
): Promise<void> {
  await tx
    .update(table)
    .set({ sealedSecrets })
    .where(and(eq(table.id, id), eq(table.workspaceId, scope.workspaceId)));
}
