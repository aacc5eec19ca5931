import { hash } from "node:crypto";
import { aclFingerprint } from "@anneal/core/access/acl";
import { digestOrigins } from "@anneal/core/access/acl-origins";
import type { Change, Cursor, JournalEntry, KnownItems, SourceItem } from "@anneal/core/connect/change";
import { planRefusal } from "@anneal/core/connect/plan-wait";
import { isAnnealError, type ErrorReport } from "@anneal/core/errors";
import { collectBytes } from "../src/content.ts";
import { reportOf } from "../src/failure.ts";

export type StoredDocument = { item: SourceItem; text: string };

/** The index of the change whose write fails or just succeeded when a run is killed. */
export type Kill = { at: number; write: "lost" | "done" };

/**
 * The simplest consumer that keeps the stream's promises: what it has applied is durable, a cursor is stored only at
 * its checkpoint and with what that adds to the journal, a kill may fall before or after the write of any change, and a content that is refused because the
 * source asks to be left alone ends the run.
 */
export class MemoryTarget {
  readonly documents = new Map<string, StoredDocument>();
  cursor: Cursor | null = null;
  /** As JSON. */
  #journal: string[] = [];
  opened: string[] = [];
  changes: Change[] = [];
  failures: { ref: string; error: ErrorReport }[] = [];
  /** What could not be read and of which nothing is held: known, until it is read or deleted. */
  readonly unread = new Set<string>();
  /** Documents whose content was refused without a reason: the sync waits once for each. */
  readonly #waitedFor = new Set<string>();

  /** Applies a run to its end, or until it is killed. */
  async apply(stream: AsyncIterable<Change>, kill?: Kill): Promise<"complete" | "killed"> {
    this.opened = [];
    this.changes = [];
    this.failures = [];
    for await (const change of stream) {
      const index = this.changes.push(change) - 1;
      if (kill?.at === index && kill.write === "lost") return "killed";
      await this.#write(change);
      if (kill?.at === index) return "killed";
    }
    return "complete";
  }

  /** Another one that has what this one has. */
  copy(): MemoryTarget {
    const copy = new MemoryTarget();
    for (const [ref, document] of this.documents) copy.documents.set(ref, { ...document });
    for (const ref of this.unread) copy.unread.add(ref);
    copy.cursor = structuredClone(this.cursor);
    copy.#journal = [...this.#journal];
    return copy;
  }

  /** What the next run is given beside the cursor. */
  async *journal(): AsyncIterable<JournalEntry> {
    for (const entry of this.#journal) yield JSON.parse(entry) as JournalEntry;
  }

  known(): KnownItems {
    const { documents, unread } = this;
    return {
      fingerprintOf: async (ref) => documents.get(ref)?.item.fingerprint ?? (unread.has(ref) ? "" : null),
      async originsOf(ref) {
        const acl = documents.get(ref)?.item.acl ?? null;
        return acl === null ? null : digestOrigins(acl, (text) => hash("sha256", text));
      },
      refsWithFingerprint: async (fingerprint) =>
        [...documents.values()]
          .map(({ item }) => item)
          .filter((item) => item.fingerprint === fingerprint)
          .map((item) => item.ref),
      async *refs(which) {
        const refs = which === "unread" ? [...unread] : [...documents.keys(), ...unread];
        yield* refs.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      },
    };
  }

  /** What two runs must agree on, text and readers; fingerprints and times are the source's own business. */
  held(): Record<string, { text: string; readers: string | null }> {
    const readersOf = ({ acl }: SourceItem) => (acl === null ? null : aclFingerprint(acl));
    return Object.fromEntries(
      [...this.documents].map(([ref, { text, item }]) => [ref, { text, readers: readersOf(item) }]),
    );
  }

  /** The texts alone. */
  contents(): Record<string, string> {
    return Object.fromEntries([...this.documents].map(([ref, { text }]) => [ref, text] as const).sort());
  }

  #fail(ref: string, error: ErrorReport): void {
    this.failures.push({ ref, error });
    // Without a ref it is about the source as a whole; what was read before stays as it was.
    if (ref !== "" && !this.documents.has(ref)) this.unread.add(ref);
  }

  async #write(change: Change): Promise<void> {
    switch (change.type) {
      case "upsert":
        this.opened.push(change.item.ref);
        try {
          const body = await change.content.open(new AbortController().signal);
          this.documents.set(change.item.ref, {
            item: change.item,
            text: new TextDecoder().decode(await collectBytes(body)),
          });
          this.unread.delete(change.item.ref);
        } catch (error) {
          let report = reportOf(error);
          // No failure of this document: the source would refuse the next one as well, and a feed tells of none twice.
          if (report.code === "RATE_LIMITED" && isAnnealError(error)) {
            const before = this.#waitedFor.has(change.item.ref);
            const own = planRefusal(error, { before, idleWaits: 0, advanced: true });
            this.#waitedFor.add(change.item.ref);
            if (own === null) throw error;
            report = own.toReport();
          }
          this.#fail(change.item.ref, report);
        }
        return;
      case "moved": {
        const before = this.documents.get(change.fromRef);
        if (before === undefined) throw new Error(`moved from "${change.fromRef}", which is not known`);
        this.documents.delete(change.fromRef);
        this.unread.delete(change.item.ref);
        this.documents.set(change.item.ref, { item: change.item, text: before.text });
        return;
      }
      case "acl": {
        const before = this.documents.get(change.ref);
        if (before === undefined && this.unread.has(change.ref)) return;
        if (before === undefined) throw new Error(`acl of "${change.ref}", which is not known`);
        before.item = { ...before.item, acl: change.acl, fingerprint: change.fingerprint };
        return;
      }
      case "delete":
        if (!this.documents.delete(change.ref) && !this.unread.delete(change.ref))
          throw new Error(`deletes "${change.ref}", which is not known`);
        return;
      case "failure":
        this.#fail(change.ref, change.error);
        return;
      case "checkpoint":
        // As the database would hold it.
        this.cursor = structuredClone(change.cursor);
        if (change.journal?.anew) this.#journal = [];
        for (const entry of change.journal?.entries ?? []) this.#journal.push(JSON.stringify(entry));
    }
  }
}
