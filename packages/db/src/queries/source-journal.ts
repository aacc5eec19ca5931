import type { JournalEntry, JournalWrite } from "@anneal/core/connect/change";
import { and, asc, eq, gt } from "drizzle-orm";
import { inWorkspace, type Scope, type Transaction } from "../database.ts";
import { sourceJournal } from "../schema.ts";

const ofSource = (scope: Scope, sourceId: string) =>
  and(eq(sourceJournal.sourceId, sourceId), eq(sourceJournal.workspaceId, scope.workspaceId));

/** To be called in the transaction that stores the cursor. */
export async function writeJournal(
  tx: Transaction,
  scope: Scope,
  sourceId: string,
  { anew, entries }: JournalWrite,
): Promise<void> {
  if (anew) await tx.delete(sourceJournal).where(ofSource(scope, sourceId));
  if (entries.length === 0) return;
  const { workspaceId } = scope;
  await tx.insert(sourceJournal).values(entries.map((entry) => ({ workspaceId, sourceId, entry })));
}

/** What was added since the journal last began anew, in order; paged so that memory stays flat. */
export async function* streamJournal(
  scope: Scope,
  sourceId: string,
  { pageSize = 200 } = {},
): AsyncIterable<JournalEntry> {
  let after = 0;
  for (;;) {
    const rows = await inWorkspace(scope, (tx) =>
      tx
        .select({ seq: sourceJournal.seq, entry: sourceJournal.entry })
        .from(sourceJournal)
        .where(and(ofSource(scope, sourceId), gt(sourceJournal.seq, after)))
        .orderBy(asc(sourceJournal.seq))
        .limit(pageSize),
    );
    for (const row of rows) yield row.entry;
    if (rows.length < pageSize) return;
    after = rows.at(-1)!.seq;
  }
}
