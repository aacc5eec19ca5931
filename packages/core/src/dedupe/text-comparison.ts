import { orderOf, type DistinctText } from "./distinct-text.ts";
import { estimateFloor, estimateJaccard, MinHasher, planBands } from "./minhash.ts";
import type { DedupePolicy } from "./policy.ts";
import { jaccardAtLeast, shingle, type Shingles } from "./shingles.ts";
import type { SignatureSettings } from "./signature-codec.ts";

/** Reads a document's text again, when an exact comparison needs it. */
export type LoadText = (id: string) => Promise<string>;

/** Turns texts into what they are compared by, and compares them. */
export class TextComparison {
  readonly settings: SignatureSettings;
  readonly #threshold: number;
  readonly #hasher: MinHasher;
  readonly #floor: number;
  readonly #loadText: LoadText | null;

  constructor(policy: DedupePolicy, loadText: LoadText | null) {
    const { shingleWords, seed, threshold } = policy;
    this.settings = { ...(policy.lsh ?? planBands(threshold)), shingleWords, seed };
    this.#threshold = threshold;
    this.#hasher = new MinHasher(this.settings);
    this.#floor = estimateFloor(threshold, this.#hasher.size);
    this.#loadText = loadText;
  }

  read(text: string): Pick<DistinctText, "signature" | "shingles"> {
    const shingles = this.#shingle(text);
    return { shingles, signature: this.#hasher.sign(shingles) };
  }

  /** @returns the exact Jaccard similarity if it reaches the threshold, else null. */
  async similarity(left: DistinctText, right: DistinctText): Promise<number | null> {
    if (left === right) return 1;
    if (!left.signature || !right.signature) return null;
    if (estimateJaccard(left.signature, right.signature) < this.#floor) return null;
    const leftShingles = left.shingles ?? (await this.#reload(left));
    const rightShingles = right.shingles ?? (await this.#reload(right));
    return jaccardAtLeast(leftShingles, rightShingles, this.#threshold);
  }

  async #reload(text: DistinctText): Promise<Shingles> {
    if (!this.#loadText) throw new Error("Restored documents need loadText for their exact comparison.");
    return this.#shingle(await this.#loadText(orderOf(text).id));
  }

  #shingle(text: string): Shingles {
    return shingle(text, { words: this.settings.shingleWords, seed: this.settings.seed });
  }
}
