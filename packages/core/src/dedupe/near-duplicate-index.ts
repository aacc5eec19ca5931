import { BandTable } from "./band-table.ts";
import {
  decide,
  orderOf,
  precedes,
  sameDecision,
  type Copy,
  type DistinctText,
  type DuplicateDecision,
} from "./distinct-text.ts";
import { hashText } from "./hash-text.ts";
import { compareOrder, EarliestFirst, type Order } from "./order.ts";
import { defaultDedupePolicy, type DedupePolicy } from "./policy.ts";
import { decodeSignature, encodeSignature } from "./signature-codec.ts";
import { TextComparison, type LoadText } from "./text-comparison.ts";

export type IndexedText = Order & {
  text: string;
  /** `hashText(text)` where the caller has it already: 64 hexadecimal digits. */
  contentHash?: string;
};

export type StoredText = Order & {
  /** From `exportSignature`. */
  signature: Uint8Array;
  /** From `decisionOf`; left out, it is decided again. */
  decision?: DuplicateDecision;
};

/**
 * Decides, for a changing set of documents, which are kept and which are copies.
 *
 * The rule: go through the texts from the earliest to the latest; a text is a duplicate of the earliest *kept* text
 * that it resembles (exact Jaccard >= threshold), else it is kept. So no two kept texts resemble each other, and
 * nothing is dropped for a text that it does not resemble itself: a chain of revisions A ~ B ~ C with A unlike C keeps A and C,
 * where connected components would lose C.
 *
 * The outcome is a function of the documents present, never of the sequence in which they came: an earlier-dated document that
 * arrives late takes over as the kept copy, and removing a kept one promotes the next earliest. Every such change of
 * an older decision is reported by the call that caused it. Only kept texts are compared with, so 20,000 variants of
 * one template cost 20,000 comparisons.
 *
 * When `loadText` fails, so do that operation and all later ones: restore a new index from what was last stored.
 */
export class NearDuplicateIndex {
  readonly #comparison: TextComparison;
  readonly #keepShingles: boolean;
  readonly #kept: BandTable<DistinctText>;
  /** Consulted only when a text is kept that others, already decided, come after. */
  readonly #excluded: BandTable<DistinctText>;
  readonly #byId = new Map<string, DistinctText>();
  readonly #byHash = new Map<string, DistinctText>();
  #latest: Order | null = null;
  /** What the current operation has to decide, and whose decision it may have changed. */
  readonly #open = new Set<DistinctText>();
  readonly #touched = new Set<Copy>();
  #operations: Promise<unknown> = Promise.resolve();

  /**
   * @param options.loadText reads a document's text again when an exact comparison needs it. Without it the index keeps
   *   every text's shingles (8 bytes a word); with it, only signatures (about 870 bytes a text).
   */
  constructor(policy: DedupePolicy = defaultDedupePolicy, options: { loadText?: LoadText } = {}) {
    this.#comparison = new TextComparison(policy, options.loadText ?? null);
    this.#keepShingles = !options.loadText;
    this.#kept = new BandTable(this.#comparison.settings);
    this.#excluded = new BandTable(this.#comparison.settings);
  }

  /**
   * Adds a document, or replaces the one of the same id.
   * @returns the decisions that are new or different because of it, its own among them.
   */
  add(document: IndexedText): Promise<Map<string, DuplicateDecision>> {
    return this.#inTurn(async () => {
      const contentHash = document.contentHash ?? hashText(document.text);
      const known = this.#byId.get(document.id);
      const copy = known?.copies.find((other) => other.id === document.id);
      if (known?.contentHash === contentHash && copy?.firstSeenAtMs === document.firstSeenAtMs) return;
      this.#detachCopy(document.id);
      const text = this.#byHash.get(contentHash) ?? this.#newText(contentHash, this.#comparison.read(document.text));
      this.#attachCopy(text, document);
      await this.#settle();
      if (!this.#keepShingles) text.shingles = null;
    });
  }

  /** @returns the decisions of other documents that changed: a promoted copy, and what now points to it. */
  remove(id: string): Promise<Map<string, DuplicateDecision>> {
    return this.#inTurn(async () => {
      this.#detachCopy(id);
      await this.#settle();
    });
  }

  /** Takes over an earlier run's documents without their texts; decides only what carries no usable decision. */
  restore(stored: readonly StoredText[]): Promise<Map<string, DuplicateDecision>> {
    return this.#inTurn(async () => {
      const inOrder = stored.toSorted(compareOrder);
      for (const document of inOrder) {
        this.#detachCopy(document.id);
        const { contentHash, signature } = decodeSignature(document.signature, this.#comparison.settings);
        const text = this.#byHash.get(contentHash) ?? this.#newText(contentHash, { signature, shingles: null });
        this.#attachCopy(text, document, document.decision ?? null);
      }
      for (const { id, decision } of inOrder) {
        const text = this.#byId.get(id);
        if (!text || text.copies[0]?.id !== id || !decision) continue;
        if (decision.status === "kept") this.#keep(text, []);
        else if (decision.code === "NEAR_DUPLICATE") {
          const keeper = this.#byId.get(decision.duplicateOf);
          if (keeper?.state.status === "kept") this.#exclude(text, { text: keeper, similarity: decision.similarity });
        }
        if (text.state.status !== "undecided") this.#open.delete(text);
      }
      await this.#settle();
    });
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** @throws Error for an unknown id: asking is a bug. */
  decisionOf(id: string): DuplicateDecision {
    const text = this.#require(id);
    return decide(text, id);
  }

  /** @returns the exact Jaccard similarity of two documents if it reaches the threshold, else null. */
  similarity(leftId: string, rightId: string): Promise<number | null> {
    return this.#comparison.similarity(this.#require(leftId), this.#require(rightId));
  }

  /** What a later run needs in place of the text. */
  exportSignature(id: string): Uint8Array {
    return encodeSignature(this.#require(id), this.#comparison.settings);
  }

  #require(id: string): DistinctText {
    const text = this.#byId.get(id);
    if (!text) throw new Error(`The duplicate index holds no document "${id}".`);
    return text;
  }

  /** Operations await texts; run one after the other, none sees another's half-done work. */
  #inTurn(operation: () => Promise<void>): Promise<Map<string, DuplicateDecision>> {
    const result = this.#operations.then(operation).then(() => this.#takeChanges());
    this.#operations = result;
    return result;
  }

  #takeChanges(): Map<string, DuplicateDecision> {
    const changes = new Map<string, DuplicateDecision>();
    for (const copy of this.#touched) {
      const decision = this.decisionOf(copy.id);
      if (sameDecision(copy.reported, decision)) continue;
      copy.reported = decision;
      changes.set(copy.id, decision);
    }
    this.#touched.clear();
    return changes;
  }

  #newText(contentHash: string, form: Pick<DistinctText, "signature" | "shingles">): DistinctText {
    const text: DistinctText = { contentHash, copies: [], ...form, state: { status: "undecided" } };
    this.#byHash.set(contentHash, text);
    return text;
  }

  #attachCopy(text: DistinctText, order: Order, reported: DuplicateDecision | null = null): void {
    const copy: Copy = { id: order.id, firstSeenAtMs: order.firstSeenAtMs, reported };
    this.#byId.set(copy.id, text);
    this.#touched.add(copy);
    if (!this.#latest || compareOrder(copy, this.#latest) > 0) this.#latest = copy;
    let at = text.copies.length;
    while (at > 0 && compareOrder(copy, text.copies[at - 1] as Copy) < 0) at--;
    text.copies.splice(at, 0, copy);
    // The text now counts from an earlier moment, so everything that was decided about it is open again.
    if (at === 0) this.#reopen(text);
  }

  #detachCopy(id: string): void {
    const text = this.#byId.get(id);
    if (!text) return;
    this.#byId.delete(id);
    const at = text.copies.findIndex((copy) => copy.id === id);
    for (const copy of text.copies.splice(at, 1)) this.#touched.delete(copy);
    if (text.copies.length === 0) this.#byHash.delete(text.contentHash);
    if (at === 0) this.#reopen(text);
  }

  async #settle(): Promise<void> {
    const queue = new EarliestFirst<DistinctText>((left, right) => compareOrder(orderOf(left), orderOf(right)));
    for (;;) {
      for (const text of this.#open) if (text.copies.length > 0) queue.add(text);
      this.#open.clear();
      const text = queue.takeEarliest();
      if (!text) return;
      await this.#decideText(text);
    }
  }

  /** Texts are decided from the earliest on, and a decision opens only later ones, so every text is settled once. */
  async #decideText(text: DistinctText): Promise<void> {
    const found = await this.#earliestKeeper(text);
    if (found) {
      this.#reopen(text);
      this.#exclude(text, found);
    } else if (text.state.status !== "kept") {
      const losers = await this.#laterTextsThatResemble(text);
      this.#reopen(text);
      this.#keep(text, losers);
    }
    this.#open.delete(text);
    for (const copy of text.copies) this.#touched.add(copy);
  }

  async #earliestKeeper(text: DistinctText): Promise<{ text: DistinctText; similarity: number } | null> {
    if (!text.signature) return null;
    const earlier = this.#kept
      .candidates(text.signature)
      .filter((other) => precedes(other, text))
      .sort((left, right) => compareOrder(orderOf(left), orderOf(right)));
    for (const other of earlier) {
      const similarity = await this.#comparison.similarity(text, other);
      if (similarity !== null) return { text: other, similarity };
    }
    return null;
  }

  async #laterTextsThatResemble(text: DistinctText): Promise<DistinctText[]> {
    if (!text.signature || !this.#latest || compareOrder(orderOf(text), this.#latest) >= 0) return [];
    const later = [
      ...this.#kept.candidates(text.signature),
      ...this.#excluded
        .candidates(text.signature)
        .filter((other) => other.state.status === "excluded" && precedes(text, other.state.keeper)),
    ].filter((other) => precedes(text, other));
    const resembling: DistinctText[] = [];
    for (const other of later) if ((await this.#comparison.similarity(text, other)) !== null) resembling.push(other);
    return resembling;
  }

  #keep(text: DistinctText, losers: readonly DistinctText[]): void {
    const slot = text.signature ? this.#kept.insert(text.signature, text) : null;
    text.state = { status: "kept", slot, dependants: new Set() };
    for (const loser of losers) this.#open.add(loser);
  }

  #exclude(text: DistinctText, found: { text: DistinctText; similarity: number }): void {
    if (found.text.state.status !== "kept") throw new Error("Only a kept text can stand for another.");
    const slot = text.signature ? this.#excluded.insert(text.signature, text) : null;
    text.state = { status: "excluded", slot, keeper: found.text, similarity: found.similarity };
    found.text.state.dependants.add(text);
  }

  /** Back to undecided, together with whatever this text stood for: all of that is later than it. */
  #reopen(text: DistinctText): void {
    const { state } = text;
    text.state = { status: "undecided" };
    this.#open.add(text);
    if (state.status === "kept") {
      if (state.slot !== null) this.#kept.remove(state.slot);
      for (const dependant of state.dependants) this.#reopen(dependant);
    } else if (state.status === "excluded") {
      if (state.slot !== null) this.#excluded.remove(state.slot);
      if (state.keeper.state.status === "kept") state.keeper.state.dependants.delete(text);
    }
  }
}
