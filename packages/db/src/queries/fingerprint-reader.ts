import { and, gte } from "drizzle-orm";
import { inWorkspace, type Scope } from "../database.ts";
import { documents } from "../schema.ts";
import { followsSource, ofSource } from "./connect.ts";

const maxAhead = 500;

export type FingerprintReader = {
  /**
   * What is known of a document, from when it was read last. Of one that a person keeps, null: the source having it again
   * is news, though it may be just what it was.
   */
  fingerprintOf(ref: string): Promise<string | null>;
  /** What was read ahead of this document no longer holds. */
  forget(ref: string): void;
};

/**
 * Fingerprints by ref. A listing mostly asks in the order in which refs are stored, so those that follow are read with
 * each: twice as many after a page that was used up, a quarter after one that was not, and one alone where the order is
 * another or nothing is known yet.
 */
export function createFingerprintReader(scope: Scope, sourceId: string): FingerprintReader {
  let ahead = new Map<string, string>();
  let size = 1;
  let used = 0;
  const resize = () => {
    if (used >= size - 1) size = Math.min(2 * size, maxAhead);
    else if (used < size / 4) size = Math.max(1, Math.floor(size / 4));
    used = 0;
  };
  return {
    async fingerprintOf(ref) {
      const held = ahead.get(ref);
      if (held !== undefined) {
        used += 1;
        return held;
      }
      resize();
      const page = await inWorkspace(scope, (tx) =>
        tx
          .select({ ref: documents.ref, fingerprint: documents.fingerprint })
          .from(documents)
          .where(and(ofSource(scope, sourceId), followsSource, gte(documents.ref, ref)))
          .orderBy(documents.ref)
          .limit(size),
      );
      ahead = new Map(page.map((row) => [row.ref, row.fingerprint]));
      return ahead.get(ref) ?? null;
    },
    forget: (ref) => void ahead.delete(ref),
  };
}
