import { setImmediate as nextTurn } from "node:timers/promises";
import { AnnealError } from "@anneal/core/errors";
import { expect, it } from "vitest";
import { operationsPerHost } from "./host-slots.ts";
import { createRemoteCalls } from "./remote-calls.ts";
import type { RemoteEvent } from "./remote-observer.ts";

function start({ port = 22, signal = new AbortController().signal } = {}) {
  const events: RemoteEvent[] = [];
  const place = { host: "Files.Example", port };
  const calls = createRemoteCalls(place, 22, { signal, onRemoteEvent: (event) => events.push(event) });
  const words = () =>
    events.map((event) => (event.type === "operation" ? [event.host, event.operation, event.outcome] : event));
  return { calls, events, words };
}

it("tells of each call with its outcome and duration, a failure by its code", async () => {
  const { calls, events, words } = start({ port: 2222 });
  expect(await calls.call("stat", async () => 7)).toBe(7);
  const forbidden = new AnnealError("SOURCE_FORBIDDEN", "/home/ann/secret.txt may not be read.", { action: "Ask." });
  await expect(calls.call("open", () => Promise.reject(forbidden))).rejects.toBe(forbidden);
  const bug = new TypeError("undefined is not a function");
  await expect(calls.call("open", () => Promise.reject(bug))).rejects.toBe(bug);
  calls.received(512);
  const host = "files.example:2222";
  expect(words()).toEqual([
    [host, "stat", "ok"],
    [host, "open", "SOURCE_FORBIDDEN"],
    [host, "open", "unexpected"],
    { type: "received", host, bytes: 512 },
  ]);
  for (const event of events) if (event.type === "operation") expect(event.durationMs).toBeGreaterThanOrEqual(0);
  expect(JSON.stringify(events)).not.toContain("secret");
});

it("tells nothing of what ended because the sync was cancelled", async () => {
  const abort = new AbortController();
  const { calls, events } = start({ signal: abort.signal });
  const cancelled = calls.call("read", async () => {
    abort.abort(new Error("enough"));
    throw new Error("socket closed");
  });
  await expect(cancelled).rejects.toThrow("socket closed");
  await expect(calls.call("read", async () => 1)).rejects.toThrow("enough");
  expect(events).toEqual([]);
});

it("counts the pages of a long result, holds no place while one is worked on, and ends what is not read on", async () => {
  const { calls, words } = start();
  let ended = 0;
  async function* result() {
    try {
      for (let page = 0; page < 3; page += 1) yield page;
    } finally {
      ended += 1;
    }
  }
  // As many readers as there are places, each of which asks for something else in between.
  const readers = Array.from({ length: operationsPerHost + 1 }, async () => {
    for await (const page of calls.pages("page", result())) {
      await calls.call("stat", nextTurn);
      if (page === 1) break;
    }
  });
  await Promise.all(readers);
  expect(ended).toBe(readers.length);
  expect(words().slice(0, 1)).toEqual([["files.example", "page", "ok"]]);
});

it("lets no more calls out to one host than it takes, of all sources together", async () => {
  const open: (() => void)[] = [];
  const work = () => new Promise<void>((resolve) => open.push(resolve));
  const sources = [start(), start()];
  const all = sources.flatMap(({ calls }) => Array.from({ length: operationsPerHost }, () => calls.call("read", work)));
  await nextTurn();
  expect(open.length).toBe(operationsPerHost);
  for (let ended = 0; ended < all.length; await nextTurn()) while (ended < open.length) open[ended++]!();
  await Promise.all(all);
});
