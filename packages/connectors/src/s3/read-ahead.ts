import type { Change, ContentHandle } from "@anneal/core/connect/change";

/** A body that was fetched before anybody asked for it, or why it could not be. */
type Fetched = { bytes: Uint8Array } | { error: unknown };

export type ReadAhead = {
  /** Changes that are drawn from the stream before they are handed on. */
  window: number;
  /** A larger body is fetched when it is asked for, and not held in memory. */
  maxBytes: number;
  /** The whole body of a small document. */
  fetch(ref: string): Promise<Uint8Array>;
};

/**
 * Hands changes on as they are, and while the content of one is read fetches those of the next few: a consumer takes
 * one document after the other, and would wait for the network each time. Nothing is fetched before somebody has read a
 * content to its end or was given one that is fetched, so a stream of which nothing is opened costs no request, and a server
 * that fails is not asked for more.
 */
export async function* readAhead(changes: AsyncIterable<Change>, options: ReadAhead): AsyncIterable<Change> {
  const source = changes[Symbol.asyncIterator]();
  const waiting: { change: Change; fetched: Promise<Fetched> | null }[] = [];
  /** Nothing more comes, and why when that is a failure: what was drawn before it is handed on first. */
  let end: { error: unknown } | "done" | null = null;
  const isSmall = (change: Change) =>
    change.type === "upsert" && change.item.sizeBytes !== null && change.item.sizeBytes <= options.maxBytes;

  const fetchNext = () => {
    for (const entry of waiting) {
      if (entry.change.type !== "upsert" || entry.fetched !== null || !isSmall(entry.change)) continue;
      entry.fetched = options.fetch(entry.change.item.ref).then(
        (bytes) => ({ bytes }),
        (error: unknown) => ({ error }),
      );
    }
  };
  const handleOf = (content: ContentHandle, fetched: () => Promise<Fetched> | null): ContentHandle => ({
    async open(signal) {
      signal.throwIfAborted();
      const early = await fetched();
      if (early === null) return thenFetch(await content.open(signal));
      signal.throwIfAborted();
      if ("error" in early) throw early.error;
      return thenFetch([early.bytes]);
    },
  });
  async function* thenFetch(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncIterable<Uint8Array> {
    fetchNext();
    yield* body;
  }

  try {
    for (;;) {
      while (end === null && waiting.length < options.window) {
        try {
          const next = await source.next();
          if (next.done === true) end = "done";
          else waiting.push({ change: next.value, fetched: null });
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
      else yield { ...change, content: handleOf(change.content, () => entry.fetched) };
    }
  } finally {
    await source.return?.(undefined);
  }
}
