import { type Readers, readersFingerprint, type ReadersPayload, readersPayload } from "./payload.ts";

/** A document with its readers as they are now, and with what each index was last told of them. */
export type ReaderChange = Readers & {
  documentId: string;
  /** One for each collection that has points of it; `fingerprints` are the different ones of these points. */
  held: readonly { collectionId: string; fingerprints: readonly string[] }[];
};

/** One overwrite of payloads: all points of these documents are found by the same readers. */
export type ReaderPush = {
  collectionId: string;
  documentIds: string[];
  payload: ReadersPayload;
  fingerprint: string;
};

/**
 * What the indexes have to be told, as few overwrites as there are audiences; nothing for a document whose points say
 * it already, so that a plan which was carried out is empty the next time.
 * @param maxDocuments of one overwrite
 */
export function planReaderPushes(changes: readonly ReaderChange[], maxDocuments: number): ReaderPush[] {
  const open = new Map<string, ReaderPush>();
  const pushes: ReaderPush[] = [];
  for (const { documentId, held, ...readers } of changes) {
    const fingerprint = readersFingerprint(readers);
    for (const { collectionId, fingerprints } of held) {
      if (fingerprints.every((each) => each === fingerprint)) continue;
      const key = `${collectionId} ${fingerprint}`;
      const push = open.get(key);
      if (push !== undefined && push.documentIds.length < maxDocuments) push.documentIds.push(documentId);
      else {
        const next = { collectionId, documentIds: [documentId], payload: readersPayload(readers), fingerprint };
        open.set(key, next);
        pushes.push(next);
      }
    }
  }
  return pushes;
}
