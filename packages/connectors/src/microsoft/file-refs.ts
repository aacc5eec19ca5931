import type { Change, KnownItems } from "@anneal/core/connect/change";

/** Refs of a team's files begin with it, those of threads with their team's id. */
const filesPrefix = "files/";

/** What is known of files, under the refs that the reader of drives gives them. */
export function knownFiles(known: KnownItems): KnownItems {
  const own = (ref: string) => ref.startsWith(filesPrefix);
  return {
    fingerprintOf: (ref) => known.fingerprintOf(filesPrefix + ref),
    originsOf: (ref) => known.originsOf(filesPrefix + ref),
    refsWithFingerprint: async (fingerprint) =>
      (await known.refsWithFingerprint(fingerprint)).filter(own).map((ref) => ref.slice(filesPrefix.length)),
    async *refs(which) {
      for await (const ref of known.refs(which)) if (own(ref)) yield ref.slice(filesPrefix.length);
    },
  };
}

export function knownThreads(known: KnownItems): KnownItems {
  return {
    ...known,
    async *refs(which) {
      for await (const ref of known.refs(which)) if (!ref.startsWith(filesPrefix)) yield ref;
    },
  };
}

/** A change of the reader of drives, under the refs of this source. */
export function changeOfFile(change: Exclude<Change, { type: "checkpoint" }>): Change {
  switch (change.type) {
    case "upsert":
      return { ...change, item: { ...change.item, ref: filesPrefix + change.item.ref } };
    case "moved":
      return {
        ...change,
        fromRef: filesPrefix + change.fromRef,
        item: { ...change.item, ref: filesPrefix + change.item.ref },
      };
    case "failure":
      // Without a ref it is about the source as a whole.
      return change.ref === "" ? change : { ...change, ref: filesPrefix + change.ref };
    case "acl":
    case "delete":
      return { ...change, ref: filesPrefix + change.ref };
  }
}
