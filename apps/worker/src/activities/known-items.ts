import type { KnownItems, SourceItem } from "@anneal/core/connect/change";
import type { Scope } from "@anneal/db/database";
import { streamRefs } from "@anneal/db/queries/synced-documents";
import type { FingerprintReader } from "@anneal/db/queries/fingerprint-reader";

/**
 * What a connector is told of the documents that are held already: as if all were written of which the content was
 * fetched. Where that makes a difference, it is written first.
 */
export function createKnownItems(
  place: { scope: Scope; sourceId: string },
  fingerprints: FingerprintReader,
  writer: { unwritten: ReadonlyMap<string, SourceItem>; settle(): Promise<void> },
): KnownItems {
  const { scope, sourceId } = place;
  const { unwritten } = writer;
  return {
    async fingerprintOf(ref) {
      if (unwritten.has(ref)) await writer.settle();
      return fingerprints.fingerprintOf(ref);
    },
    async originsOf(ref) {
      if (unwritten.has(ref)) await writer.settle();
      return fingerprints.originsOf(ref);
    },
    async refsWithFingerprint(fingerprint) {
      if ([...unwritten.values()].some((item) => item.fingerprint === fingerprint)) await writer.settle();
      const refs = await fingerprints.refsWithFingerprint(fingerprint);
      // What has it may be about to get another one.
      if (!refs.some((ref) => unwritten.has(ref))) return refs;
      await writer.settle();
      return fingerprints.refsWithFingerprint(fingerprint);
    },
    async *refs(which) {
      await writer.settle();
      yield* streamRefs(scope, sourceId, { onlyUnread: which === "unread" });
    },
  };
}
