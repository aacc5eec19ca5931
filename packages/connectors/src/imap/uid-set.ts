type Range = readonly [first: number, last: number];

/** The UIDs of a mailbox as ranges: a million messages that nobody deleted from are one pair of numbers. */
export class UidSet {
  readonly #ranges: readonly Range[];
  readonly size: number;

  private constructor(ranges: readonly Range[]) {
    this.#ranges = ranges;
    this.size = ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  }

  /** @param uids ascending, each once */
  static of(uids: readonly number[]): UidSet {
    const ranges: [number, number][] = [];
    for (const uid of uids) {
      const open = ranges.at(-1);
      if (open !== undefined && open[1] === uid - 1) open[1] = uid;
      else ranges.push([uid, uid]);
    }
    return new UidSet(ranges);
  }

  /**
   * @param set a sequence set as servers write it (RFC 9051), such as "1:5,9,12:14"; empty for no message
   * @returns null for what is not one
   */
  static parse(set: string): UidSet | null {
    if (set === "") return new UidSet([]);
    const ranges: [number, number][] = [];
    for (const part of set.split(",")) {
      const match = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(part);
      if (match === null) return null;
      const [a, b] = [Number(match[1]), Number(match[2] ?? match[1])];
      if (a === 0 || b === 0) return null;
      ranges.push([Math.min(a, b), Math.max(a, b)]);
    }
    ranges.sort(([a], [b]) => a - b);
    const merged: [number, number][] = [];
    for (const [first, last] of ranges) {
      const open = merged.at(-1);
      if (open !== undefined && first <= open[1] + 1) open[1] = Math.max(open[1], last);
      else merged.push([first, last]);
    }
    return new UidSet(merged);
  }

  has(uid: number): boolean {
    let [low, high] = [0, this.#ranges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ranges[middle]![1] < uid) low = middle + 1;
      else high = middle;
    }
    const range = this.#ranges[low];
    return range !== undefined && range[0] <= uid;
  }

  /** Those smaller than `end`. */
  below(end: number): UidSet {
    return new UidSet(
      this.#ranges.flatMap(([first, last]): Range[] => (first < end ? [[first, Math.min(last, end - 1)]] : [])),
    );
  }

  /** Those from `start` on, ascending. */
  *from(start: number): Iterable<number> {
    for (const [first, last] of this.#ranges) for (let uid = Math.max(first, start); uid <= last; uid += 1) yield uid;
  }

  /** The greatest UID, or 0 when there is none. */
  get max(): number {
    return this.#ranges.at(-1)?.[1] ?? 0;
  }
}
