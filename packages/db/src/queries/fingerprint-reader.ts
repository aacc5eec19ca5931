import { and, gte, sql } from "drizzle-orm";
import { inWorkspace, type Scope } from "../database.ts";
import { documents } from "../schema.ts";
import { listRefsWithFingerprint, unreadFingerprint } from "./synced-documents.ts";
import { followsSource, ofSource } from "./documents-of-source.ts";
import { createKnownValues } from "./known-values.ts";
import { byCodePoint, hasRef, isShort, refDigestOf } from "./refs.ts";

const maxAhead = 500;

type Known = { fingerprint: string; origins: string | null };
/** Not the origins themselves, which may be long. */
const digestOfOrigins = sql<string | null>`case when ${documents.aclOrigins} is not null
  then coalesce(${documents.aclOrigins} ->> 'digest', '') end`;

export type FingerprintReader = {
  /**
   * What is known of a document, from when it was read last. Of one that a person keeps, null: the source having it again
   * is news, though it may be just what it was.
   */
  fingerprintOf(ref: string): Promise<string | null>;
  /** As `KnownItems` has it; asked for right after the fingerprint, it is there already. */
  originsOf(ref: string): Promise<string | null>;
  /** Live refs that hold exactly this fingerprint. */
  refsWithFingerprint(fingerprint: string): Promise<string[]>;
  /** What was read ahead of this document no longer holds. */
  forget(ref: string): void;
  /** The document was written, and has this fingerprint. */
  learn(ref: string, fingerprint: string): void;
};

/**
 * Fingerprints by ref. A listing mostly asks in the order in which refs are stored, so those that follow are read with
 * each: twice as many after a page that was used up, a quarter after one that was not, and one alone where the order is
 * another or nothing is known yet. Where much is new, what is known is kept in mind and the rest not asked for.
 *
 * To be told of all that is written meanwhile; to be used by whoever alone reads the source.
 */
export function createFingerprintReader(scope: Scope, sourceId: string): FingerprintReader {
  const refs = createKnownValues(scope, sourceId, "ref");
  const fingerprints = createKnownValues(scope, sourceId, "fingerprint");
  let ahead = new Map<string, Known>();
  let size = 1;
  let used = 0;
  const resize = () => {
    if (used >= size - 1) size = Math.min(2 * size, maxAhead);
    else if (used < size / 4) size = Math.max(1, Math.floor(size / 4));
    used = 0;
  };
  const read = async (ref: string): Promise<Known | null> => {
    if (!(await refs.mayHave(ref))) return null;
    resize();
    const isAlone = size === 1 || refDigestOf(ref) !== null;
    const page = await inWorkspace(scope, (tx) =>
      tx
        .select({ ref: documents.ref, fingerprint: documents.fingerprint, origins: digestOfOrigins })
        .from(documents)
        .where(
          and(ofSource(scope, sourceId), followsSource, isAlone ? hasRef(ref) : and(isShort, gte(byCodePoint, ref))),
        )
        .orderBy(byCodePoint)
        .limit(size),
    );
    ahead = new Map(page.map((row) => [row.ref, row]));
    const found = ahead.get(ref);
    if (found === undefined) refs.missed();
    return found ?? null;
  };
  return {
    async fingerprintOf(ref) {
      const held = ahead.get(ref);
      if (held !== undefined) used += 1;
      return (held ?? (await read(ref)))?.fingerprint ?? null;
    },
    originsOf: async (ref) => (ahead.get(ref) ?? (await read(ref)))?.origins ?? null,
    async refsWithFingerprint(fingerprint) {
      // People give it to documents meanwhile, to have them read again.
      const isTaken = fingerprint === unreadFingerprint || (await fingerprints.mayHave(fingerprint));
      const found = isTaken ? await listRefsWithFingerprint(scope, sourceId, fingerprint) : [];
      if (isTaken && found.length === 0) fingerprints.missed();
      return found;
    },
    forget: (ref) => void ahead.delete(ref),
    learn(ref, fingerprint) {
      ahead.delete(ref);
      refs.add(ref);
      fingerprints.add(fingerprint);
    },
  };
}
