import type { Change } from "@anneal/core/connect/change";
import { describe, expect, it } from "vitest";
import { collectBytes } from "../content.ts";
import { readAhead, type ReadAhead } from "./read-ahead.ts";

const signal = new AbortController().signal;
const checkpoint: Change = { type: "checkpoint", cursor: { version: 1 }, scanned: 0, total: null };

describe("readAhead", () => {
  /** Every document's body is its name; what was asked for is noted, in order. */
  const createSource = (names: readonly string[], sizes: Record<string, number> = {}) => {
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
    const options: ReadAhead = { window: 3, maxBytes: 10, fetch: get };
    return { asked, failing, stream: readAhead(changes(), options) };
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
    for await (const _ of readAhead(endless(), { window: 3, maxBytes: 0, fetch: async () => Buffer.from("") })) break;
    expect(ended).toBe(true);
  });
});
