import type { Acl } from "@anneal/core/access/acl";
import type { Change, KnownItems } from "@anneal/core/connect/change";
import { parseFingerprint, writeFingerprint } from "./readers.ts";

/**
 * The readers are the source's, so that a change of them is one of every document that is stored. It comes before
 * anything is read: a revocation waits for no message, and holds for one that cannot be read, too.
 */
export async function* reviseAudience(known: KnownItems, acl: Acl | null, audience: string): AsyncIterable<Change> {
  // Without readers of its own a document goes back to the source's audience when it is stored again.
  if (acl === null) return;
  for await (const ref of known.refs()) {
    const fingerprint = await known.fingerprintOf(ref);
    const stored = fingerprint === null ? null : parseFingerprint(fingerprint);
    if (stored === null || stored.audience === audience) continue;
    yield { type: "acl", ref, acl, fingerprint: writeFingerprint({ ...stored, audience }) };
  }
}
