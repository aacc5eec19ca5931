import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Change } from "@anneal/core/connect/change";
import { describe, expect, it } from "vitest";
import { collectBytes } from "./content.ts";
import { readAhead, type ReadAhead } from "./read-ahead.ts";

const signal = new AbortController().signal;
const checkpoint: Change = { type: "checkpoint", cursor: { version: 1 }, scanned: 0, total: null };

describe("readAhead", () => {
  /** Every document's body is its name; what was asked for is noted, in order. */
  const createSource = (
    names: readonly string[],
    sizes: Record<string, number> = {},
    options: Partial<ReadAhead> = {},
  ) => {
    const asked: string[] = [];
    const failing = new Set<string>();
    const get = async (name: string) => {
      asked.push(name);
      if (failing.has(name)) throw new Error(`no ${name}`);
      return Buffer.from(name);
    };
    async function* changes(): AsyncIterable<Change> {
      for (const ref of names) {
        if (ref === "|") yield checkpoint;
        else if (ref === "!") throw new Error("the listing broke off");
        else {
          const item = { ref, uri: ref, title: ref, mediaType: null, sizeBytes: sizes[ref] ?? 1, modifiedAt: null };
          const content = {
            async open() {
              const body = await get(ref);
              return (async function* () {
                yield body;
              })();
            },
          };
          yield { type: "upsert", item: { ...item, fingerprint: ref, acl: null }, content };
        }
      }
    }
    return { asked, failing, stream: readAhead(changes(), { signal, window: 3, maxBytes: 10, ...options }) };
  };
  const textOf = async (change: Change) => {
    if (change.type !== "upsert") return change.type;
    return Buffer.from(await collectBytes(await change.content.open(signal))).toString();
  };

  it("hands on the same changes with the same contents, in the same order", async () => {
    const { stream } = createSource(["a", "b", "|", "c", "d", "e", "|"]);
    const texts: string[] = [];
    for await (const change of stream) texts.push(await textOf(change));
    expect(texts).toEqual(["a", "b", "checkpoint", "c", "d", "e", "checkpoint"]);
  });

  it("asks for each content once, and for the next ones while one is read", async () => {
    const { asked, stream } = createSource(["a", "b", "c", "d", "e"]);
    for await (const change of stream) {
      await textOf(change);
      if (change.type === "upsert" && change.item.ref === "a") expect(asked).toEqual(["a", "b", "c"]);
    }
    expect(asked).toEqual(["a", "b", "c", "d", "e"]);
  });

  it("asks for nothing that is not read, nor ahead for anything large", async () => {
    const unread = createSource(["a", "b", "c"]);
    for await (const _ of unread.stream) continue;
    expect(unread.asked).toEqual([]);
    const large = createSource(["a", "b", "c"], { b: 11 });
    for await (const change of large.stream) {
      await textOf(change);
      if (change.type === "upsert" && change.item.ref === "a") expect(large.asked).toEqual(["a", "c"]);
    }
    expect(large.asked).toEqual(["a", "c", "b"]);
  });

  it("holds no more bytes than it may, and lets nothing past what has no room", async () => {
    const sizes = { a: 1, b: 6, c: 6, d: 1 };
    const { asked, stream } = createSource(["a", "b", "c", "d"], sizes, { window: 4, heldBytes: 10 });
    const askedBy: Record<string, string> = {};
    for await (const change of stream) askedBy[await textOf(change)] = asked.join("");
    expect(askedBy).toEqual({ a: "ab", b: "abcd", c: "abcd", d: "abcd" });
  });

  it("reads alone what there would never be room for", async () => {
    const sizes = { b: 11 };
    const { asked, stream } = createSource(["a", "b", "c"], sizes, { maxBytes: 100, heldBytes: 10 });
    for await (const change of stream) {
      if (change.type !== "upsert") continue;
      const body = (await change.content.open(signal))[Symbol.asyncIterator]();
      await body.next();
      expect(asked).toEqual({ a: ["a"], b: ["a", "b"], c: ["a", "b", "c"] }[change.item.ref]);
      expect((await body.next()).done).toBe(true);
    }
  });

  it("does not hold what is larger than it was listed, and gives it whole", async () => {
    const { asked, stream } = createSource(["a", "longer", "c"]);
    const texts: string[] = [];
    for await (const change of stream) texts.push(await textOf(change));
    expect(texts).toEqual(["a", "longer", "c"]);
    expect(asked).toEqual(["a", "longer", "c", "longer"]);
  });

  it("hands on a checkpoint before it looks for what comes after it", async () => {
    let drawn = 0;
    async function* changes(): AsyncIterable<Change> {
      for (;;) {
        drawn += 1;
        yield checkpoint;
      }
    }
    const stream = readAhead(changes(), { signal, window: 3, maxBytes: 10 })[Symbol.asyncIterator]();
    await stream.next();
    expect(drawn).toBe(1);
    await stream.return?.();
  });

  it("goes past a checkpoint for contents to fetch, and not past two", async () => {
    const { stream: source } = createSource(["a", "b", "|", "c", "|", "|", "d"]);
    let drawn = 0;
    async function* counted(): AsyncIterable<Change> {
      for await (const change of source) {
        drawn += 1;
        yield change;
      }
    }
    const stream = readAhead(counted(), { signal, window: 10, maxBytes: 10 })[Symbol.asyncIterator]();
    expect((await stream.next()).value).toMatchObject({ item: { ref: "a" } });
    expect(drawn).toBe(5);
    await stream.return?.();
  });

  it("ends the fetching of a content that is given up, and of all that nobody comes for", async () => {
    const ended: string[] = [];
    async function* changes(): AsyncIterable<Change> {
      for (const ref of ["a", "b", "c"]) {
        const item = { ref, uri: ref, title: ref, mediaType: null, sizeBytes: 1, modifiedAt: null };
        const open = async (signal: AbortSignal) => {
          if (ref !== "a") {
            await once(signal, "abort");
            ended.push(ref);
            signal.throwIfAborted();
          }
          return [Buffer.from(ref)] as unknown as AsyncIterable<Uint8Array>;
        };
        yield { type: "upsert", item: { ...item, fingerprint: ref, acl: null }, content: { open } };
      }
    }
    const stream = readAhead(changes(), { signal, window: 3, maxBytes: 10 })[Symbol.asyncIterator]();
    const upsert = async () => (await stream.next()).value as Extract<Change, { type: "upsert" }>;
    expect(await textOf(await upsert())).toBe("a");
    const late = new AbortController();
    const opening = (await upsert()).content.open(late.signal);
    late.abort(new Error("too late"));
    await expect(opening).rejects.toThrow("too late");
    expect(ended).toEqual(["b"]);
    await stream.return?.();
    await nextTurn();
    expect(ended).toEqual(["b", "c"]);
  });

  it("fails the one document that cannot be had, when it is opened", async () => {
    const { failing, stream } = createSource(["a", "b", "c"]);
    failing.add("b");
    const results: string[] = [];
    for await (const change of stream) results.push(await textOf(change).catch((error: Error) => error.message));
    expect(results).toEqual(["a", "no b", "c"]);
  });

  it("hands on what was listed before the listing broke off, and then fails", async () => {
    const { stream } = createSource(["a", "b", "!"]);
    const texts: string[] = [];
    await expect(
      (async () => {
        for await (const change of stream) texts.push(await textOf(change));
      })(),
    ).rejects.toThrow("the listing broke off");
    expect(texts).toEqual(["a", "b"]);
  });

  it("ends the listing when its reader stops", async () => {
    let ended = false;
    async function* endless(): AsyncIterable<Change> {
      try {
        for (;;) yield checkpoint;
      } finally {
        ended = true;
      }
    }
    for await (const _ of readAhead(endless(), { signal, window: 3, maxBytes: 0 })) break;
    expect(ended).toBe(true);
  });
});
