/** When a document was first seen decides which copy is kept; the id decides between documents of one moment. */
export type Order = {
  /** Milliseconds since 1970. */
  firstSeenAtMs: number;
  id: string;
};

/** Ids are compared by code unit, which is the same on every machine and in every locale. */
export function compareOrder(left: Order, right: Order): number {
  if (left.firstSeenAtMs !== right.firstSeenAtMs) return left.firstSeenAtMs - right.firstSeenAtMs;
  return left.id < right.id ? -1 : left.id > right.id ? 1 : 0;
}

/** A set that gives its earliest member first (a binary heap). */
export class EarliestFirst<T> {
  readonly #heap: T[] = [];
  readonly #members = new Set<T>();
  readonly #compare: (left: T, right: T) => number;

  /** @param compare must give the same answer as long as a member is inside. */
  constructor(compare: (left: T, right: T) => number) {
    this.#compare = compare;
  }

  add(member: T): void {
    if (this.#members.has(member)) return;
    this.#members.add(member);
    const heap = this.#heap;
    let at = heap.push(member) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#compare(heap[parent] as T, member) <= 0) break;
      heap[at] = heap[parent] as T;
      at = parent;
    }
    heap[at] = member;
  }

  takeEarliest(): T | undefined {
    const heap = this.#heap;
    const earliest = heap[0];
    const last = heap.pop();
    if (earliest === undefined || last === undefined) return undefined;
    this.#members.delete(earliest);
    if (heap.length === 0) return earliest;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#compare(heap[child + 1] as T, heap[child] as T) < 0) child++;
      if (this.#compare(last, heap[child] as T) <= 0) break;
      heap[at] = heap[child] as T;
      at = child;
    }
    heap[at] = last;
    return earliest;
  }
}
