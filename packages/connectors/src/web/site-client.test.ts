import { isAnnealError } from "@anneal/core/errors";
import { describe, expect, it } from "vitest";
import { answerOf } from "../../conformance/answer-of.ts";
import { createTestClock } from "../../conformance/test-clock.ts";
import type { HttpAnswer } from "../http-answer.ts";
import { openHostPaces } from "./host-paces.ts";
import { PageTime } from "./page-time.ts";
import { createSiteClient, maxRenderMs } from "./site-client.ts";
import { siteOf } from "./site-url.ts";

function clientOf(answer: (url: string, count: number) => HttpAnswer, requestsPerSecond = 2) {
  const clock = createTestClock(0);
  const asked: [string, number][] = [];
  const client = createSiteClient({
    fetch: {
      async fetch(url) {
        asked.push([new URL(url).host, clock.now()]);
        return answer(url, asked.length);
      },
      close: async () => {},
    },
    identity: { userAgent: "x", from: null },
    login: null,
    paces: openHostPaces({ requestsPerSecond, concurrency: 1 }, new Map()),
    signal: new AbortController().signal,
    clock,
  });
  return { client, asked, clock };
}

const codeOf = (error: unknown) => (isAnnealError(error) ? error.code : "another error");

describe("createSiteClient", () => {
  it("keeps to each host's own pace", async () => {
    const { client, asked } = clientOf(() => answerOf("x"));
    client.slowTo(siteOf(new URL("https://slow.example/")), 10_000);
    // Wishes for more speed than the settings allow are not heard.
    client.slowTo(siteOf(new URL("https://quick.example/")), 1);
    for (let turn = 0; turn < 3; turn += 1) await client.get(`https://slow.example/${turn}`);
    for (let turn = 0; turn < 3; turn += 1) await client.get(`https://quick.example/${turn}`);
    expect(asked).toEqual([
      ["slow.example", 0],
      ["slow.example", 10_000],
      ["slow.example", 20_000],
      ["quick.example", 20_000],
      ["quick.example", 20_500],
      ["quick.example", 21_000],
    ]);
  });

  it("does not sleep through turns that are more than a minute apart, and asks for nothing before the next", async () => {
    const { client, asked, clock } = clientOf(() => answerOf("x"));
    const slow = siteOf(new URL("https://slow.example/"));
    client.slowTo(slow, 60_000, true);
    await client.get("https://slow.example/start");
    await client.get("https://slow.example/1");
    expect(asked).toEqual([
      ["slow.example", 0],
      ["slow.example", 60_000],
    ]);
    client.slowTo(slow, 600_000, true);
    for (const retryAfterMs of [600_000, 500_000]) {
      await expect(client.get("https://slow.example/2")).rejects.toMatchObject({
        code: "RATE_LIMITED",
        message: "The robots.txt of slow.example asks for 10 minutes between two pages.",
        details: { retryAfterMs },
      });
      await clock.sleep(100_000, new AbortController().signal);
    }
    expect(asked).toHaveLength(2);
    await clock.sleep(400_000, new AbortController().signal);
    await client.get("https://slow.example/2");
    // What goes with the page has no turn of its own.
    await client.get("https://slow.example/2/copy", {}, { alongside: true });
    await expect(client.get("https://slow.example/3")).rejects.toMatchObject({ details: { retryAfterMs: 600_000 } });
    expect(asked.slice(2)).toEqual([
      ["slow.example", 660_000],
      ["slow.example", 660_000],
    ]);
  });

  it("has the time of a page stand still until what it asks for has its turn, and gives it none that comes too late", async () => {
    const { client, asked, clock } = clientOf(() => answerOf("x"), 1);
    client.slowTo(siteOf(new URL("https://site.example/")), 60_000);
    let paused = 0;
    const render = new (class extends PageTime {
      override pause() {
        const goOn = super.pause();
        paused += 1;
        return () => {
          paused -= 1;
          goOn();
        };
      }
    })(new AbortController().signal, clock.now() + maxRenderMs);
    const pausedAtTurn: number[] = [];
    for (let turn = 0; turn < 7; turn += 1) {
      const got = client.get(`https://site.example/${turn}`, {}, { render }).then(({ status }) => status, codeOf);
      pausedAtTurn.push(paused);
      expect(await got).toBe(turn < 6 ? 200 : "RATE_LIMITED");
      expect(paused).toBe(0);
    }
    expect(pausedAtTurn).toEqual(Array(7).fill(1));
    expect(asked.map(([, atMs]) => atMs)).toEqual([0, 60_000, 120_000, 180_000, 240_000, 300_000]);
  });

  it("waits until a budget is full again where the host tells that and no other time", async () => {
    const spent = { "ratelimit-remaining": "0", "ratelimit-reset": "20" };
    const busy = () => answerOf("", { status: 429, headers: spent });
    const { client, asked } = clientOf((_url, count) => (count === 1 ? busy() : answerOf("x")), 1000);
    expect((await client.get("https://busy.example/")).status).toBe(200);
    expect(asked).toEqual([
      ["busy.example", 0],
      ["busy.example", 20_000],
    ]);
  });

  it("waits as long as one host asks, and keeps only that host waiting", async () => {
    const busy = () => answerOf("", { status: 503, headers: { "retry-after": "30" } });
    const { client, asked } = clientOf((_url, count) => (count === 1 ? busy() : answerOf("x")), 1000);
    expect((await client.get("https://busy.example/")).status).toBe(200);
    await client.get("https://other.example/");
    expect(asked.map(([host]) => host)).toEqual(["busy.example", "busy.example", "other.example"]);
    expect(asked[1]?.[1]).toBeGreaterThanOrEqual(30_000);
    expect(asked[2]?.[1]).toBe(asked[1]?.[1]);
  });

  it("does not sleep through a wait of more than a minute, and believes nobody who asks for years", async () => {
    const { client, asked } = clientOf((_url, count) =>
      answerOf("", { status: 429, headers: { "retry-after": count === 1 ? "3600" : "999999999" } }),
    );
    for (const retryAfterMs of [3_600_000, 6 * 3_600_000]) {
      await expect(client.get("https://busy.example/")).rejects.toMatchObject({
        code: "RATE_LIMITED",
        details: { retryAfterMs },
      });
    }
    expect(asked).toHaveLength(2);
  });
});
