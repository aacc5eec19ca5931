import { inspect } from "node:util";
import { AnnealError } from "@anneal/core/errors";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { startApi, type ApiAnswer, type ApiRequest, type TestApi } from "../../conformance/start-api.ts";
import { createTestClock } from "../../conformance/test-clock.ts";
import { collectBytes } from "../content.ts";
import { requestsPerHost } from "./host-slots.ts";
import type { RemoteEvent } from "./remote-observer.ts";
import { createRemoteClient, RemoteError, type RemoteClient, type RemoteClientOptions } from "./remote-client.ts";

const okSchema = z.object({ ok: z.boolean() });
const fine: ApiAnswer = { body: { ok: true } };

describe("createRemoteClient", () => {
  const apis: TestApi[] = [];
  const clients: RemoteClient[] = [];
  let abort: AbortController;
  beforeEach(() => {
    abort = new AbortController();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    for (const api of apis.splice(0)) await api.stop();
  });

  const start = async (answer: (request: ApiRequest) => ApiAnswer | Promise<ApiAnswer>) => {
    const api = await startApi(answer);
    apis.push(api);
    return api;
  };
  /** Each answer once, the last one for ever. */
  const startSequence = async (...answers: ApiAnswer[]) =>
    start(() => (answers.length > 1 ? answers.shift()! : answers[0]!));
  const connect = (baseUrl: string, options: Partial<RemoteClientOptions> = {}) => {
    const client = createRemoteClient({
      service: "Archive",
      baseUrl,
      allowPrivateHosts: true,
      context: { signal: abort.signal, limits: { documentBytes: 1000, requestTimeoutMs: 5000 } },
      ...options,
    });
    clients.push(client);
    return client;
  };
  const errorOf = async (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => null,
      (error: unknown) => error,
    );
  const withToken = (token: string) => ({ authorize: async () => ({ authorization: `Bearer ${token}` }) });

  describe("waits", () => {
    it("asks again as often as the service says that it is busy, and then answers", async () => {
      const busy = { status: 429, headers: { "retry-after": "0" } };
      const past = { status: 503, headers: { "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" } };
      const limited = { status: 403, headers: { "retry-after": "0" } };
      const api = await startSequence(busy, past, limited, fine);
      expect(await connect(api.origin).json("/", okSchema)).toEqual({ ok: true });
      expect(api.requests.length).toBe(4);
    });

    it("asks again where the service says so in words of its own, with another status", async () => {
      const refusal = (reason: string) => ({ status: 403, body: { reason } });
      const api = await startSequence(refusal("quota"), refusal("quota"), fine, refusal("forbidden"));
      let nowMs = 0;
      const slept: number[] = [];
      const clock = { now: () => nowMs, sleep: async (waitMs: number) => void ((nowMs += waitMs), slept.push(waitMs)) };
      const limits = { documentBytes: 1000, requestTimeoutMs: 5000 };
      const events: RemoteEvent[] = [];
      const onRemoteEvent = (event: RemoteEvent) => events.push(event);
      const client = connect(api.origin, {
        asksToWait: (status, body) => status === 403 && body.includes("quota"),
        context: { signal: abort.signal, limits, clock, onRemoteEvent },
      });
      expect(await client.json("/", okSchema)).toEqual({ ok: true });
      expect(slept).toEqual([1000, 2000]);
      expect(events.filter(({ type }) => type === "throttled").length).toBe(2);
      expect(await errorOf(client.json("/", okSchema))).toMatchObject({ code: "SOURCE_FORBIDDEN", status: 403 });
      expect(api.requests.length).toBe(4);
    });

    it("gives up after six tries, for the workflow to try later", async () => {
      const api = await startSequence({ status: 503, headers: { "retry-after": "0" } });
      const error = await errorOf(connect(api.origin).json("/", okSchema));
      expect(error).toMatchObject({ code: "RATE_LIMITED", retryable: true });
      expect(api.requests.length).toBe(6);
    });

    it("hands a wait of more than a minute to the workflow instead of sleeping", async () => {
      const api = await startSequence({ status: 429, headers: { "retry-after": "86400" } });
      const error = await errorOf(connect(api.origin).json("/", okSchema));
      expect(error).toMatchObject({ code: "RATE_LIMITED", retryable: true, details: { retryAfterMs: 86_400_000 } });
      expect(api.requests.length).toBe(1);
    });

    it("asks nothing more of a service that told such a wait, and refuses as it did", async () => {
      const api = await startSequence({ status: 429, headers: { "retry-after": "86400" }, body: "quota" }, fine);
      let nowMs = 0;
      const clock = { now: () => nowMs, sleep: async (waitMs: number) => void (nowMs += waitMs) };
      const limits = { documentBytes: 1000, requestTimeoutMs: 5000 };
      const client = connect(api.origin, { context: { signal: abort.signal, limits, clock } });
      const first = await errorOf(client.json("/", okSchema));
      nowMs += 3_600_000;
      const later = await errorOf(client.download("/file", "file"));
      expect(later).toBeInstanceOf(RemoteError);
      expect(later).toMatchObject({ status: 429, body: "quota", details: { retryAfterMs: 82_800_000 } });
      expect(first).toMatchObject({ status: 429, body: "quota", details: { retryAfterMs: 86_400_000 } });
      expect(api.requests.length).toBe(1);
      nowMs += 82_800_000;
      expect(await client.json("/", okSchema)).toEqual({ ok: true });
    });

    it("goes on after a wait that nobody told, such as one document's", async () => {
      const api = await start(({ path }) => (path === "/broken" ? { status: 503 } : fine));
      let nowMs = 0;
      const clock = { now: () => nowMs, sleep: async (waitMs: number) => void (nowMs += waitMs) };
      const limits = { documentBytes: 1000, requestTimeoutMs: 5000 };
      const client = connect(api.origin, { context: { signal: abort.signal, limits, clock } });
      expect(await errorOf(client.json("/broken", okSchema))).toMatchObject({ code: "RATE_LIMITED", status: 503 });
      expect(await client.json("/", okSchema)).toEqual({ ok: true });
    });

    it("takes no refusal for a limit where every answer says how long to wait", async () => {
      const api = await startSequence({ status: 403, headers: { "retry-after": "0" } });
      const error = await errorOf(connect(api.origin, { announcesWaits: true }).json("/", okSchema));
      expect(error).toMatchObject({ code: "SOURCE_FORBIDDEN", status: 403 });
      expect(api.requests.length).toBe(1);
    });

    it("waits before the next request as a good answer asks", async () => {
      const api = await startSequence({ ...fine, headers: { "retry-after": "60" } }, fine);
      const events: RemoteEvent[] = [];
      const client = connect(api.origin, {
        announcesWaits: true,
        context: {
          signal: abort.signal,
          limits: { documentBytes: 1000, requestTimeoutMs: 5000 },
          onRemoteEvent: (event) => events.push(event),
        },
      });
      expect(await client.json("/", okSchema)).toEqual({ ok: true });
      const second = errorOf(client.json("/", okSchema));
      await vi.waitUntil(() => events.some(({ type }) => type === "wait"));
      // While others come and go, it would have arrived.
      for (let count = 0; count < 5; count += 1) await connect(api.origin).json("/", okSchema);
      expect(api.requests.length).toBe(6);
      abort.abort(new Error("enough"));
      expect(await second).toMatchObject({ message: "enough" });
    });

    const spend = (resetS: number) => ({ "ratelimit-remaining": "0", "ratelimit-reset": String(resetS) });
    const connectAt = (api: TestApi, options: Partial<RemoteClientOptions> = {}) => {
      const clock = createTestClock(0);
      const limits = { documentBytes: 1000, requestTimeoutMs: 5000 };
      return { clock, client: connect(api.origin, { ...options, context: { signal: abort.signal, limits, clock } }) };
    };

    it("waits for a budget's reset where a refusal names no other time", async () => {
      const jira = { "x-ratelimit-reset": "2026-11-30T12:10:40Z", date: "Mon, 30 Nov 2026 12:10:00 GMT" };
      const both = { ...spend(900), "retry-after": "5" };
      const api = await startSequence(
        { status: 429, headers: spend(10) },
        { status: 403, headers: { ...spend(3), "x-ratelimit-limit": "60" } },
        { status: 429, headers: both },
        { status: 503, headers: jira },
        fine,
      );
      const { client, clock } = connectAt(api);
      expect(await client.json("/", okSchema)).toEqual({ ok: true });
      expect(clock.sleptMs).toBe(10_000 + 3000 + 5000 + 40_000);
    });

    it("takes no refusal for a limit that tells a reset and nothing of what is left", async () => {
      const api = await startSequence({ status: 403, headers: { "x-ratelimit-reset": "30" } });
      expect(await errorOf(connectAt(api).client.json("/", okSchema))).toMatchObject({ code: "SOURCE_FORBIDDEN" });
      expect(api.requests.length).toBe(1);
    });

    it("lets all requests of the sync wait until a budget is full again that a good answer has used up", async () => {
      const api = await startSequence({ ...fine, headers: spend(45) }, fine);
      const { client, clock } = connectAt(api);
      expect(await client.json("/", okSchema)).toEqual({ ok: true });
      expect(clock.sleptMs).toBe(0);
      await collectBytes(await client.download("/file", "file"));
      await client.json("/", okSchema);
      expect([clock.sleptMs, api.requests.length]).toEqual([45_000, 3]);
    });

    it.each([
      ["a refusal", { status: 429 }, "86400"],
      ["a good answer", fine, "300"],
    ])("hands more than a minute over, as %s tells it", async (_, answer, reset) => {
      const api = await startSequence({ ...answer, headers: spend(Number(reset)) }, fine);
      const { client, clock } = connectAt(api);
      await errorOf(client.json("/", okSchema));
      const later = { code: "RATE_LIMITED", retryable: true, details: { retryAfterMs: Number(reset) * 1000 } };
      expect(await errorOf(client.json("/", okSchema))).toMatchObject(later);
      expect([clock.sleptMs, api.requests.length]).toEqual([0, 1]);
      await clock.sleep(Number(reset) * 1000, abort.signal);
      expect(await client.json("/", okSchema)).toEqual({ ok: true });
    });

    it("hands over what a good answer announces as its next time where that is long (Atlassian Data Center)", async () => {
      const api = await startSequence({ ...fine, headers: { "retry-after": "300" } }, fine);
      const { client, clock } = connectAt(api, { announcesWaits: true });
      expect(await client.json("/", okSchema)).toEqual({ ok: true });
      expect(await errorOf(client.json("/", okSchema))).toMatchObject({
        code: "RATE_LIMITED",
        message: "Archive asks to wait 300 s.",
        details: { retryAfterMs: 300_000 },
      });
      expect([clock.sleptMs, api.requests.length]).toEqual([0, 1]);
    });

    it("believes no wait of more than a day", async () => {
      const api = await startSequence({ status: 429, headers: { "retry-after": "999999999" } });
      const error = await errorOf(connectAt(api).client.json("/", okSchema));
      expect(error).toMatchObject({ code: "RATE_LIMITED", details: { retryAfterMs: 86_400_000 } });
    });

    it("keeps the wait that was asked for when the vendor's words are told in its place", async () => {
      const api = await startSequence({ status: 429, headers: { "retry-after": "86400" }, body: "quota" });
      const explain = (_status: number, body: string) =>
        new AnnealError("RATE_LIMITED", `The ${body} is used up.`, {
          action: "Raise it.",
          details: { retryAfterMs: 1000 },
        });
      const error = await errorOf(connect(api.origin, { explain }).json("/", okSchema));
      expect(error).toMatchObject({
        message: "The quota is used up.",
        retryable: true,
        details: { status: 429, retryAfterMs: 86_400_000 },
      });
    });

    it("never has more requests in flight with one host than it takes, of all clients together", async () => {
      const api = await start(() => new Promise<ApiAnswer>(() => {}));
      const held = Array.from({ length: 12 }, () => connect(api.origin)).flatMap((client) =>
        Array.from({ length: 4 }, () => errorOf(client.json("/held", okSchema))),
      );
      await vi.waitUntil(() => api.requests.length >= requestsPerHost);
      // While others come and go, one more would have arrived.
      const other = await startSequence(fine);
      for (let count = 0; count < 10; count += 1) await connect(other.origin).json("/", okSchema);
      expect(api.requests.length).toBe(requestsPerHost);
      abort.abort();
      await Promise.all(held);
    });

    it("never has more requests in flight than it may", async () => {
      const api = await start(({ path }) => (path === "/held" ? new Promise<ApiAnswer>(() => {}) : fine));
      const client = connect(api.origin, { concurrency: 2 });
      const held = Array.from({ length: 12 }, () => errorOf(client.json("/held", okSchema)));
      await vi.waitUntil(() => api.requests.length >= 2);
      // While others come and go, a third would have arrived.
      for (let count = 0; count < 10; count += 1) await connect(api.origin).json("/", okSchema);
      expect(api.requests.filter(({ path }) => path === "/held").length).toBe(2);
      abort.abort();
      await Promise.all(held);
    });
  });

  describe("credentials", () => {
    it("are renewed once for all requests that were refused with the old ones", async () => {
      let arrived = 0;
      let open: () => void;
      const allArrived = new Promise<void>((resolve) => (open = resolve));
      const api = await start(async ({ headers }) => {
        if (headers.authorization === "Bearer new") return fine;
        // Nobody is refused before all four were sent with the old token.
        if ((arrived += 1) === 4) open();
        await allArrived;
        return { status: 401 };
      });
      const asked: boolean[] = [];
      const authorize = async (renew: boolean) => {
        asked.push(renew);
        return { authorization: `Bearer ${renew ? "new" : "old"}` };
      };
      const client = connect(api.origin, { authorize, concurrency: 4 });
      const answers = await Promise.all(Array.from({ length: 10 }, () => client.json("/", okSchema)));
      expect(answers).toEqual(Array.from({ length: 10 }, () => ({ ok: true })));
      expect(asked).toEqual([false, true]);
    });

    it("that are refused again are told to be entered again, without repeating them", async () => {
      const api = await startSequence({ status: 401, body: "no" });
      const error = await errorOf(connect(api.origin, withToken("hunter2")).json("/", okSchema));
      expect(error).toBeInstanceOf(RemoteError);
      expect(error).toMatchObject({ code: "SOURCE_CREDENTIALS", status: 401, body: "no" });
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("hunter2");
      expect(api.requests.length).toBe(2);
    });

    it("that could not be had are asked for again by the next request", async () => {
      const api = await startSequence(fine);
      let asked = 0;
      const authorize = async () => {
        asked += 1;
        if (asked === 1) throw new AnnealError("SOURCE_CREDENTIALS", "No token.", { action: "Enter the secret." });
        return {};
      };
      const client = connect(api.origin, { authorize });
      expect(await errorOf(client.json("/", okSchema))).toMatchObject({ message: "No token." });
      expect(await client.json("/", okSchema)).toEqual({ ok: true });
    });

    const secret = {
      ...withToken("hunter2"),
      secretQuery: { key: "hunter2" },
    };
    const mine = { headers: { "x-workspace": "hunter2", range: "bytes=0-9" } };
    const seenBy = (api: TestApi) => JSON.stringify(api.requests.map(({ query, headers }) => [[...query], headers]));

    it("go to the service itself, and to hosts that are named as its own", async () => {
      const own = await startSequence(fine);
      const api = await start(() => ({ status: 302, headers: { location: `${own.origin}/next` } }));
      const client = connect(api.origin, { ...secret, trustedHosts: [new URL(own.origin).host] });
      await client.json("/", okSchema);
      for (const { headers, query } of [...api.requests, ...own.requests]) {
        expect([headers.authorization, query.get("key")]).toEqual(["Bearer hunter2", "hunter2"]);
      }
      expect(own.requests.length).toBe(1);
    });

    it("do not follow a redirect to another host, nor come back with one that another host sends", async () => {
      const service = await start(({ path }) =>
        path === "/start" ? { status: 302, headers: { location: `${other.origin}/away` } } : fine,
      );
      const other: TestApi = await start(() => ({ status: 302, headers: { location: `${service.origin}/back` } }));
      expect(await connect(service.origin, secret).json("/start", okSchema, mine)).toEqual({ ok: true });
      expect(other.requests[0]?.headers.range).toBe("bytes=0-9");
      expect(seenBy(other)).not.toContain("hunter2");
      expect(service.requests.map(({ path, headers }) => [path, headers.authorization])).toEqual([
        ["/start", "Bearer hunter2"],
        ["/back", undefined],
      ]);
    });

    it("do not go to another host that an answer names as its next page", async () => {
      const service = await startSequence(fine);
      const other = await startSequence(fine);
      const client = connect(service.origin, secret);
      await client.json(`${other.origin}/page/2`, okSchema, mine);
      await collectBytes(await client.download(`${other.origin}/file`, "file", mine));
      expect(other.requests.length).toBe(2);
      expect(seenBy(other)).not.toContain("hunter2");
    });

    it("in a body are not sent on to another host", async () => {
      const other = await startSequence(fine);
      const api = await start(() => ({ status: 307, headers: { location: other.origin } }));
      const posted = connect(api.origin).json("/token", okSchema, { method: "POST", body: "secret=hunter2" });
      expect(await errorOf(posted)).toMatchObject({ code: "SOURCE_UNREACHABLE" });
      expect(other.requests).toEqual([]);
    });
  });

  describe("addresses", () => {
    it("that are private are refused, at first and after a redirect", async () => {
      const api = await start(() => ({ status: 302, headers: { location: "http://169.254.169.254/latest" } }));
      const refused = { code: "SOURCE_FORBIDDEN" };
      const shut = connect(api.origin, { allowPrivateHosts: false });
      expect(await errorOf(shut.json("/", okSchema))).toMatchObject(refused);
      expect(api.requests).toEqual([]);
      const open = connect(api.origin);
      expect(await errorOf(open.json("/", okSchema))).toMatchObject(refused);
      expect(await errorOf(open.download("http://[fd00:ec2::254]/", "file"))).toMatchObject(refused);
    });

    it("that are no longer encrypted, or none at all, are not asked", async () => {
      const client = connect("https://archive.example");
      for (const path of ["http://archive.example/page/2", "https://[", "file:///etc/passwd"]) {
        expect(await errorOf(client.json(path, okSchema))).toMatchObject({ code: "SOURCE_UNREACHABLE" });
      }
    });

    it("that redirect without end are given up", async () => {
      const api = await start(({ path }) => ({ status: 302, headers: { location: `${path}x` } }));
      expect(await errorOf(connect(api.origin).json("/", okSchema))).toMatchObject({ code: "SOURCE_UNREACHABLE" });
      expect(api.requests.length).toBe(6);
    });

    it("are joined with their parameters, absent ones left out", async () => {
      const api = await startSequence(fine);
      await connect(`${api.origin}/v2/`).json("items?a=1", okSchema, { query: { b: "ü & ö", c: 2, d: undefined } });
      const [request] = api.requests;
      expect(request?.path).toBe("/v2/items");
      expect([...(request?.query ?? [])]).toEqual([
        ["a", "1"],
        ["b", "ü & ö"],
        ["c", "2"],
      ]);
    });
  });

  describe("bodies", () => {
    it("that break off are asked for again where they are an answer", async () => {
      const api = await startSequence({ ...fine, breakAfterBytes: 5 }, fine);
      expect(await connect(api.origin).json("/", okSchema)).toEqual({ ok: true });
      expect(api.requests.length).toBe(2);
    });

    it.each([
      ["of a declared size", {}],
      ["in chunks", { undeclared: true }],
    ])("that break off are no document (%s)", async (_, declared) => {
      const api = await startSequence({ body: "a".repeat(500), breakAfterBytes: 100, ...declared });
      const body = await connect(api.origin).download("/file", "plan.md");
      const error = await errorOf(collectBytes(body));
      expect(error).toMatchObject({ code: "SOURCE_UNREACHABLE", retryable: true });
      expect(String(error)).toContain("plan.md");
    });

    it.each([
      ["declared", {}],
      ["undeclared", { undeclared: true }],
    ])("larger than a document may be are not read to their end (%s)", async (_, declared) => {
      const api = await startSequence({ body: "a".repeat(1001), ...declared }, { body: "a".repeat(1000), ...declared });
      const client = connect(api.origin);
      const read = async () => collectBytes(await client.download("/file", "plan.md"));
      expect(await errorOf(read())).toMatchObject({ code: "DOCUMENT_TOO_LARGE" });
      expect((await read()).byteLength).toBe(1000);
    });

    it("larger than an answer may be are refused", async () => {
      const headers = { "content-length": String(65 * 1024 * 1024) };
      const api = await startSequence({ body: "{", headers, breakAfterBytes: 1 });
      expect(await errorOf(connect(api.origin).json("/", okSchema))).toMatchObject({ code: "DOCUMENT_TOO_LARGE" });
    });

    it.each([
      ["no JSON", "<html>Sign in</html>"],
      ["nothing", ""],
      ["something else", { ok: "yes" }],
    ])("that are %s where an answer was expected are told as such", async (_, body) => {
      const api = await startSequence({ body });
      const error = await errorOf(connect(api.origin).json("/", okSchema));
      expect(error).toMatchObject({ code: "SOURCE_UNREACHABLE", retryable: false });
      expect(String(error)).toContain("Archive sent an answer that cannot be understood");
    });

    it("of errors are kept for the connector to decide by, but only their beginning", async () => {
      const api = await startSequence({ status: 410, body: "stale ".repeat(10_000) });
      const error = await errorOf(connect(api.origin).json("/", okSchema));
      expect(error).toMatchObject({ status: 410 });
      expect((error as RemoteError).body).toMatch(/^stale stale /);
      expect((error as RemoteError).body.length).toBe(4000);
    });
  });

  describe("whoever counts", () => {
    const startCounting = (apiOrigin: string, options: Partial<RemoteClientOptions> = {}) => {
      const events: RemoteEvent[] = [];
      const limits = { documentBytes: 1000, requestTimeoutMs: 5000 };
      const onRemoteEvent = (event: RemoteEvent) => events.push(event);
      const client = connect(apiOrigin, { ...options, context: { signal: abort.signal, limits, onRemoteEvent } });
      return { client, events };
    };
    const wordsOf = (events: readonly RemoteEvent[]) =>
      events.flatMap((event): unknown[] => {
        if (event.type === "request") return [event.status];
        if (event.type === "wait") return [[event.cause, event.waitMs]];
        return event.type === "renewal" ? [["renewal", event.ok]] : [];
      });

    it("hears of every answer with its status and duration, and of each wait that was asked for", async () => {
      const busy = { status: 429, headers: { "retry-after": "0" } };
      const { client, events } = startCounting((await startSequence(busy, fine)).origin);
      await client.json("/", okSchema);
      expect(wordsOf(events)).toEqual([429, ["told", 0], 200]);
      for (const event of events) if (event.type === "request") expect(event.durationMs).toBeGreaterThan(0);
    });

    it("hears which host was asked, how often it said “not now”, and how much was read", async () => {
      const busy = { status: 503, headers: { "retry-after": "0" } };
      const api = await startSequence(busy, { body: "a".repeat(700) });
      const { client, events } = startCounting(api.origin);
      const body = await client.download("/people/ann.txt", "ann.txt");
      for await (const _ of body) break;
      const { host } = new URL(api.origin);
      expect(events.filter(({ type }) => type === "throttled")).toEqual([{ type: "throttled", host }]);
      expect(events.at(-1)).toEqual({ type: "received", host, bytes: 700 });
      expect(events.every((event) => !("host" in event) || event.host === host)).toBe(true);
      expect(JSON.stringify(events)).not.toContain("ann");
    });

    it("does not hear the names of hosts that a stranger leads to", async () => {
      const other = await startSequence(fine);
      const api = await start(() => ({ status: 302, headers: { location: `${other.origin}/away` } }));
      const { client, events } = startCounting(api.origin);
      await client.json("/", okSchema);
      const hosts = events.map((event) => ("host" in event ? event.host : null));
      expect(hosts).toEqual([new URL(api.origin).host, "elsewhere", "elsewhere"]);
    });

    it("hears of a wait that is left to the workflow", async () => {
      const api = await startSequence({ status: 429, headers: { "retry-after": "86400" } });
      const { client, events } = startCounting(api.origin);
      await errorOf(client.json("/", okSchema));
      expect(wordsOf(events)).toEqual([429, ["handed-over", 86_400_000]]);
    });

    it("hears of credentials that were renewed, or could not be, and not of the first ones", async () => {
      const api = await startSequence({ status: 401 }, fine, { status: 401 });
      const authorize = async (renew: boolean) => {
        if (renew && api.requests.length > 2) throw new AnnealError("SOURCE_CREDENTIALS", "No.", { action: "Ask." });
        return { authorization: "Bearer hunter2" };
      };
      const { client, events } = startCounting(api.origin, { authorize });
      await client.json("/", okSchema);
      await errorOf(client.json("/", okSchema));
      expect(wordsOf(events)).toEqual([401, ["renewal", true], 200, 401, ["renewal", false]]);
      expect(inspect(events)).not.toContain("hunter2");
    });

    it("hears of an answer that did not come, and nothing of one that nobody waits for any more", async () => {
      const refused = startCounting("http://127.0.0.1:1");
      await errorOf(refused.client.json("/", okSchema));
      expect(wordsOf(refused.events)).toContain(null);
      const api = await start(() => new Promise<ApiAnswer>(() => {}));
      const held = startCounting(api.origin);
      const asked = errorOf(held.client.json("/", okSchema));
      await vi.waitUntil(() => api.requests.length === 1);
      abort.abort();
      await asked;
      expect(held.events).toEqual([]);
    });
  });

  describe("when the sync is cancelled", () => {
    const reason = new Error("cancelled by a person");

    it("ends a wait", async () => {
      const api = await startSequence({ status: 429, headers: { "retry-after": "60" } });
      const asked = errorOf(connect(api.origin).json("/", okSchema));
      await vi.waitUntil(() => api.requests.length === 1);
      abort.abort(reason);
      expect(await asked).toBe(reason);
    });

    it("ends a request that is not answered, and sends none that waited for its place", async () => {
      const api = await start(() => new Promise<ApiAnswer>(() => {}));
      const client = connect(api.origin, { concurrency: 1 });
      const asked = [errorOf(client.json("/", okSchema)), errorOf(client.json("/", okSchema))];
      await vi.waitUntil(() => api.requests.length === 1);
      abort.abort(reason);
      expect(await Promise.all(asked)).toEqual([reason, reason]);
      expect(api.requests.length).toBe(1);
    });

    it("ends a transfer with the reason, not with a failure of the document", async () => {
      const api = await startSequence({ body: "a".repeat(900), headers: { "content-length": "950" } });
      const body = await connect(api.origin).download("/file", "plan.md");
      const read = async () => {
        for await (const _ of body) abort.abort(reason);
      };
      expect(await errorOf(read())).toBe(reason);
    });
  });
});
