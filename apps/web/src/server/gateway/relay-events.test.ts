import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { request } from "undici";
import { afterEach, expect, it } from "vitest";
import { relayEvents } from "./relay-events.ts";

const delta = (text: string) => `data: ${JSON.stringify({ choices: [{ delta: { content: text } }] })}`;
const usage = 'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}';
const events = [delta("Grüße, "), delta("Wölt"), usage, "data: [DONE]"];

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** An engine that writes these pieces one by one, each in a TCP segment of its own. */
async function relayFrom(pieces: readonly Uint8Array[], wantsUsage: boolean) {
  const server = createServer(async (_, response) => {
    response.socket!.setNoDelay(true);
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const piece of pieces) {
      await new Promise((resolve) => response.write(piece, resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  });
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { body } = await request(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const seen = { usage: [] as string[], ends: 0, first: 0 };
  const source = { body, firstToken: () => (seen.first += 1), end: () => (seen.ends += 1) };
  const stream = relayEvents(source, { wantsUsage, onUsage: (json) => seen.usage.push(json.trim()) });
  return { text: await new Response(stream).text(), seen };
}

const bytesOf = (text: string) => [...Buffer.from(text)].map((byte) => Uint8Array.of(byte));

it.each([
  ["\\n, with usage", "\n", true],
  ["\\n, without usage", "\n", false],
  ["\\r\\n, with usage", "\r\n", true],
  ["\\r\\n, without usage", "\r\n", false],
])("relays an engine that writes byte by byte and ends its lines with %s", async (_, end, wantsUsage) => {
  const whole = (list: string[]) => list.map((event) => `${event}${end}${end}`).join("");
  const { text, seen } = await relayFrom(bytesOf(whole(events)), wantsUsage);
  expect(text).toBe(whole(wantsUsage ? events : events.filter((event) => event !== usage)));
  expect(seen).toMatchObject({ usage: [usage.slice("data: ".length)], ends: 1 });
});

it("goes on after a piece that holds nothing but the usage event, which the client did not ask for", async () => {
  const pieces = events.map((event) => Buffer.from(`${event}\n\n`));
  const { text, seen } = await relayFrom(pieces, false);
  expect(text).toBe([events[0], events[1], events[3], ""].join("\n\n"));
  expect(seen.ends).toBe(1);
});

it("forwards what an engine leaves unfinished", async () => {
  expect((await relayFrom([Buffer.from("data: half")], false)).text).toBe("data: half");
});

it("ends once, as cancelled, when the client leaves while the engine is silent", async () => {
  const silent = Promise.withResolvers<IteratorResult<Uint8Array>>();
  const reading = Promise.withResolvers<void>();
  const next = () => {
    reading.resolve();
    return silent.promise;
  };
  const body = { [Symbol.asyncIterator]: () => ({ next }), destroy: () => silent.reject(new Error("aborted")) };
  const ends: unknown[] = [];
  const source = { body, firstToken: () => undefined, end: (outcome?: "cancelled") => ends.push(outcome) };
  const reader = relayEvents(source, { wantsUsage: false, onUsage: () => undefined }).getReader();
  await reading.promise;
  await reader.cancel();
  await silent.promise.catch(() => undefined);
  await new Promise((resolve) => setImmediate(resolve));
  expect(ends).toEqual(["cancelled"]);
});
