/** So many entries of a folder are held until it is known how many it has; one with more is listed twice. */
const heldEntries = 1_000;

/**
 * The folders of a tree that are still to be listed, one by one and each with all below it before the next, and the share of
 * the tree that was gone through. Each entry of a folder has an equal part of the folder's share, as in Knuth, "Estimating
 * the Efficiency of Backtrack Programs" (1975).
 */
export class WalkedFolders<Folder> {
  readonly #counts: boolean;
  /** The last one is listed next. */
  readonly #waiting: { folder: Folder; share: number }[];
  /** In the folder that is listed now, in its order. */
  #below: { folder: Folder; share: number }[] = [];
  /** Of that folder's share what its entries have not taken yet, and what each takes. */
  #rest = 0;
  #part = 0;
  #share = 0;

  /** @param counts whether the share is wanted: a folder of many entries costs another listing then */
  constructor(root: Folder, counts: boolean) {
    this.#waiting = [{ folder: root, share: 1 }];
    this.#counts = counts;
  }

  /** From 0 to 1, the entry counted that was given last; 0 where it is not wanted. */
  get share(): number {
    return this.#counts ? Math.min(1, this.#share) : 0;
  }

  /** @returns the next folder to list, those that were found in the last one first */
  next(): Folder | undefined {
    this.#share += this.#rest;
    for (const below of this.#below.reverse()) this.#waiting.push(below);
    this.#below = [];
    const next = this.#waiting.pop();
    this.#rest = next?.share ?? 0;
    return next?.folder;
  }

  /** At most so many that `next` gives next, as far as they were found. */
  upcoming(count: number): Folder[] {
    const waiting = this.#waiting.slice(-count).reverse();
    return [...this.#below.slice(0, count), ...waiting].slice(0, count).map(({ folder }) => folder);
  }

  /** The entries of the folder that `next` gave. @throws what `list` throws, once all that it gave before was given */
  async *entries<Entry>(list: () => AsyncIterable<Entry>): AsyncIterable<Entry> {
    if (!this.#counts) return yield* list();
    const { count, held, failure } = await look(list);
    this.#part = this.#rest / Math.max(1, count);
    for await (const entry of held ?? list()) {
      this.#take(Math.min(this.#part, this.#rest));
      yield entry;
    }
    if (held !== null && failure !== null) throw failure.error;
  }

  /** That the entry which was given last is a folder to be listed as well. */
  enter(folder: Folder): void {
    this.#share -= this.#part;
    this.#below.push({ folder, share: this.#part });
  }

  #take(part: number): void {
    this.#rest -= part;
    this.#share += part;
  }
}

type Look<Entry> = {
  count: number;
  /** All of them, where they are few. */
  held: Entry[] | null;
  failure: { error: unknown } | null;
};

async function look<Entry>(list: () => AsyncIterable<Entry>): Promise<Look<Entry>> {
  const held: Entry[] = [];
  let count = 0;
  const whole = () => (count <= heldEntries ? held : null);
  try {
    for await (const entry of list()) {
      count += 1;
      if (count <= heldEntries) held.push(entry);
      else held.length = 0;
    }
    return { count, held: whole(), failure: null };
  } catch (error) {
    return { count, held: whole(), failure: { error } };
  }
}
