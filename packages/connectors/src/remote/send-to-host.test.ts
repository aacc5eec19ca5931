import { setImmediate as nextTurn } from "node:timers/promises";
import { Response } from "undici";
import { expect, it, vi } from "vitest";
import { requestsPerHost } from "./host-slots.ts";
import type { RemoteEvent } from "./remote-observer.ts";
import { createHostSender } from "./send-to-host.ts";

const never = new AbortController().signal;
const host = "reader.example";

it("has no more requests in flight at a host than it takes", async () => {
  const send = createHostSender(() => {});
  const open: (() => void)[] = [];
  const request = () => new Promise<Response>((resolve) => open.push(() => resolve(new Response())));
  const all = Array.from({ length: requestsPerHost + 8 }, () => send(host, never, request));
  await nextTurn();
  expect(open).toHaveLength(requestsPerHost);
  open.forEach((end) => end());
  await vi.waitUntil(() => open.length === all.length);
  open.forEach((end) => end());
  await Promise.all(all);
});

it("hands the answer on as it is, and tells of the part that was read", async () => {
  const events: RemoteEvent[] = [];
  const send = createHostSender((event) => events.push(event));
  const headers = { "retry-after": "7" };
  const answer = () => new Response("too many", { status: 429, headers });
  const response = await send(host, never, async () => answer());
  expect([response.status, response.headers.get("retry-after"), await response.text()]).toEqual([429, "7", "too many"]);
  expect((await send(host, never, async () => new Response(null, { status: 204 }))).body).toBeNull();
  const durationMs = expect.any(Number);
  expect(events).toEqual([
    { type: "request", host, status: 429, durationMs },
    { type: "throttled", host },
    { type: "received", host, bytes: 8 },
    { type: "request", host, status: 204, durationMs },
  ]);
});
