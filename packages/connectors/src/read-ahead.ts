import type { Change, ContentHandle } from "@anneal/core/connect/change";

/** A body that was fetched before anybody asked for it, or why it could not be; null: it is larger than it was listed. */
type Fetched = { parts: Uint8Array[] } | { error: unknown } | null;

export type ReadAhead = {
  /** Of the whole sync. */
  signal: AbortSignal;
  /** Changes that are drawn from the stream before they are handed on. */
  window: number;
  /** A larger body is passed over: it is fetched when it is asked for, and not held in memory. */
  maxBytes: number;
  /**
   * Of all bodies that are fetched or read at a time. One that has no room waits, and those behind it do; one that could
   * never have it is read when nothing else is under way. Left out: as many as are in the window.
   */
  heldBytes?: number;
};

/** A stream that has little to fetch is not gone through far ahead: who waits for its checkpoints is told of them. */
const checkpointsAhead = 2;

type Upsert = Extract<Change, { type: "upsert" }>;

type Entry = {
  change: Change;
  fetched: Promise<Fetched> | null;
  /** What of `heldBytes` is taken for it. */
  takenBytes: number;
  /** Ends its fetching. */
  left: AbortController;
};

/**
 * Hands changes on as they are, and while the content of one is read fetches those of the next few: a consumer takes
 * one document after the other, and would wait for the network each time. Nothing is fetched before somebody has read a
 * content to its end or was given one that is fetched, so a stream of which nothing is opened costs no request, and a server
 * that fails is not asked for more.
 */
export async function* readAhead(changes: AsyncIterable<Change>, options: ReadAhead): AsyncIterable<Change> {
  const { signal, window, maxBytes, heldBytes = Number.POSITIVE_INFINITY } = options;
  const source = changes[Symbol.asyncIterator]();
  const waiting: Entry[] = [];
  /** Nothing more comes, and why when that is a failure: what was drawn before it is handed on first. */
  let end: { error: unknown } | "done" | null = null;
  let takenBytes = 0;
  const take = (entry: Entry, bytes: number) => {
    takenBytes += bytes - entry.takenBytes;
    entry.takenBytes = bytes;
  };

  /** What has no content is not kept waiting for contents behind it. */
  const mayDraw = () =>
    end === null &&
    waiting.length < window &&
    (waiting[0]?.change.type ?? "upsert") === "upsert" &&
    waiting.filter(({ change }) => change.type === "checkpoint").length < checkpointsAhead;
  const fetchNext = () => {
    for (const entry of waiting) {
      if (entry.change.type !== "upsert" || entry.fetched !== null) continue;
      const sizeBytes = sizeOf(entry.change);
      if (sizeBytes > maxBytes) continue;
      if (takenBytes + sizeBytes > heldBytes) return;
      take(entry, sizeBytes);
      entry.fetched = fetchBody(entry.change, AbortSignal.any([signal, entry.left.signal]));
    }
  };
  const bodyOf = async (entry: Entry, upsert: Upsert, signal: AbortSignal) => {
    const leave = () => entry.left.abort(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    const early = await entry.fetched;
    signal.removeEventListener("abort", leave);
    signal.throwIfAborted();
    if (early === null) {
      take(entry, Math.min(sizeOf(upsert), heldBytes));
      return upsert.content.open(signal);
    }
    if ("error" in early) throw early.error;
    return early.parts;
  };
  const handleOf = (entry: Entry, upsert: Upsert): ContentHandle => ({
    async open(signal) {
      signal.throwIfAborted();
      try {
        return thenFetch(entry, await bodyOf(entry, upsert, signal));
      } catch (error) {
        take(entry, 0);
        throw error;
      }
    },
  });
  async function* thenFetch(
    entry: Entry,
    body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): AsyncIterable<Uint8Array> {
    fetchNext();
    try {
      yield* body;
    } finally {
      take(entry, 0);
    }
    // What had no room beside it.
    fetchNext();
  }

  try {
    for (;;) {
      while (mayDraw()) {
        try {
          const next = await source.next();
          if (next.done === true) end = "done";
          else waiting.push({ change: next.value, fetched: null, takenBytes: 0, left: new AbortController() });
        } catch (error) {
          end = { error };
        }
      }
      const entry = waiting.shift();
      if (entry === undefined) {
        if (end !== null && end !== "done") throw end.error;
        return;
      }
      const { change } = entry;
      if (change.type !== "upsert") yield change;
      else yield { ...change, content: handleOf(entry, change) };
    }
  } finally {
    for (const { left } of waiting) left.abort();
    await source.return?.(undefined);
  }
}

/** Never throws: what it fails with is told to whoever opens the content. */
async function fetchBody({ item, content }: Upsert, signal: AbortSignal): Promise<Fetched> {
  const parts: Uint8Array[] = [];
  let leftBytes = item.sizeBytes ?? 0;
  try {
    for await (const part of await content.open(signal)) {
      leftBytes -= part.byteLength;
      if (leftBytes < 0) return null;
      parts.push(part);
    }
    return { parts };
  } catch (error) {
    return { error };
  }
}

function sizeOf({ item }: Upsert): number {
  return item.sizeBytes ?? Number.MAX_SAFE_INTEGER;
}
