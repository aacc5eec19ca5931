/** `startedAtMs`: nothing in it is older; null where that is not told. */
export type TimedPart = { key: string; startedAtMs: number | null };

type Span = { startedAtMs: number | null; weight: number; newestMs: number; oldestMs: number; isDone: boolean };

/**
 * The share of a source that was gone through, where nobody tells how many documents there are: its parts are told, and each
 * is read from its newest document to its oldest. A part counts by how long it has existed, and what was read of it by how far
 * back that goes.
 */
export class ShareByTime {
  readonly #spans = new Map<string, Span>();
  #weight = 0;

  constructor(parts: Iterable<TimedPart>, nowMs: number) {
    const listed = [...parts];
    const ages = listed.flatMap(({ startedAtMs }) => (startedAtMs === null ? [] : [Math.max(1, nowMs - startedAtMs)]));
    const usual = ages.length === 0 ? 1 : ages.reduce((sum, age) => sum + age, 0) / ages.length;
    for (const { key, startedAtMs } of listed) {
      const weight = startedAtMs === null ? usual : Math.max(1, nowMs - startedAtMs);
      const unread = { newestMs: Number.NEGATIVE_INFINITY, oldestMs: Number.POSITIVE_INFINITY };
      this.#spans.set(key, { startedAtMs, weight, ...unread, isDone: false });
      this.#weight += weight;
    }
  }

  /** From 0 to 1. */
  get share(): number {
    let passed = 0;
    for (const span of this.#spans.values()) passed += span.weight * shareOf(span);
    return this.#weight === 0 ? 0 : Math.min(1, passed / this.#weight);
  }

  /** @param key of a part; another one is not counted */
  reach(key: string, atMs: number): void {
    const span = this.#spans.get(key);
    if (span === undefined) return;
    span.newestMs = Math.max(span.newestMs, atMs);
    span.oldestMs = Math.min(span.oldestMs, atMs);
  }

  /** That all of a part was read, or that nothing of it can be. */
  finish(key: string): void {
    const span = this.#spans.get(key);
    if (span !== undefined) span.isDone = true;
  }
}

function shareOf({ startedAtMs, newestMs, oldestMs, isDone }: Span): number {
  if (isDone) return 1;
  const wholeMs = startedAtMs === null ? 0 : newestMs - startedAtMs;
  return wholeMs > 0 ? Math.min(1, (newestMs - oldestMs) / wholeMs) : 0;
}
