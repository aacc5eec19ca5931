/** What is stored of a document, as far as it decides what its source's word of it changes. */
export type StoredDocument = {
  id: string;
  contentHash: string;
  /** Of the content that its passages were made of. */
  indexedHash: string | null;
  deletedAt: Date | null;
  restoredAt: Date | null;
};

/** `added` also of one that was deleted or that a person kept: its source has it again. */
export type UpsertChange = "added" | "changed" | "unchanged";

export type UpsertPlan = {
  /** Of each upsert, in order. */
  changes: UpsertChange[];
  /** One for each document, in the order in which they were first met. */
  rows: PlannedRow[];
};

export type PlannedRow = {
  /** Of the upsert that says what the row holds in the end. */
  index: number;
  /** The row that is there; null where there is none. */
  storedId: string | null;
  /** It goes round the loop again: its bytes are others than before, or it is its source's again. */
  restarts: boolean;
  /** What was made of the row's earlier content was deleted with it, and is not to be found under the new one's name. */
  withdraws: boolean;
};

/**
 * What a batch of new or changed documents does to what is stored, as if each were applied after the one before it: of
 * several with the same ref the last one counts.
 * @param stored by ref
 */
export function planUpserts(
  stored: ReadonlyMap<string, StoredDocument>,
  upserts: readonly { ref: string; contentHash: string }[],
): UpsertPlan {
  const met = new Map<string, PlannedRow & { contentHash: string }>();
  const changes = upserts.map(({ ref, contentHash }, index): UpsertChange => {
    const before = met.get(ref);
    const document = stored.get(ref);
    const storedId = document?.id ?? null;
    const isNew = before === undefined && document === undefined;
    const returns =
      before === undefined && document !== undefined && (document.deletedAt !== null || document.restoredAt !== null);
    const restarts = isNew || returns || (before ?? document)?.contentHash !== contentHash;
    met.set(ref, {
      index,
      storedId,
      restarts: restarts || before?.restarts === true,
      withdraws: before?.withdraws ?? (document !== undefined && isDeletedOther(document, contentHash)),
      contentHash,
    });
    return isNew || returns ? "added" : restarts ? "changed" : "unchanged";
  });
  const rows = [...met.values()].map(({ contentHash: _, ...row }) => row);
  return { changes, rows };
}

/** Whether it was deleted, and not all that was made of it is known to be of this content. */
function isDeletedOther({ deletedAt, ...made }: StoredDocument, contentHash: string): boolean {
  return deletedAt !== null && (made.contentHash !== contentHash || made.indexedHash !== contentHash);
}
