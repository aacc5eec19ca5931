import { inspect } from "node:util";
import { isAnnealError } from "@anneal/core/errors";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startApi, type ApiAnswer, type ApiRequest, type TestApi } from "../../conformance/start-api.ts";
import { createGatewayFetch, orOwnError, type GatewayFetch } from "./gateway-fetch.ts";
import { createRemoteClient, RemoteError, type RemoteClient, type RemoteClientOptions } from "./remote-client.ts";

describe("createGatewayFetch", () => {
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
  const connect = (
    baseUrl: string,
    options: Partial<RemoteClientOptions> = {},
    vendorHeaders: readonly string[] = [],
  ): GatewayFetch => {
    const client = createRemoteClient({
      service: "Archive",
      baseUrl,
      allowPrivateHosts: true,
      context: { signal: abort.signal, limits: { documentBytes: 1000, requestTimeoutMs: 5000 } },
      authorize: async () => ({ authorization: "Bearer hunter2" }),
      ...options,
    });
    clients.push(client);
    return createGatewayFetch(client, vendorHeaders);
  };
  const errorOf = async (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => null,
      (error: unknown) => error,
    );
  const fine: ApiAnswer = { status: 201, headers: { "x-scopes": "read" }, body: { title: "Plän" } };

  it("answers as fetch does, with the service's status, headers and text", async () => {
    const api = await startSequence(fine);
    const response = await connect(api.origin)(new URL("/items?after=a%20b", api.origin));
    expect(response).toBeInstanceOf(Response);
    expect([response.ok, response.status, response.headers.get("x-scopes")]).toEqual([true, 201, "read"]);
    expect(await response.json()).toEqual({ title: "Plän" });
    expect(api.requests).toMatchObject([{ method: "GET", path: "/items" }]);
    expect(api.requests[0]?.query.get("after")).toBe("a b");
  });

  it("sends a body that is a text or a form, with its type", async () => {
    const api = await startSequence(fine);
    const fetch = connect(api.origin);
    const json = { method: "post", headers: { "Content-Type": "application/json" }, body: '{"a":1}' };
    await fetch(`${api.origin}/json`, json);
    await fetch(`${api.origin}/form`, { method: "POST", body: new URLSearchParams({ a: "1 2" }) });
    await fetch({ ...json, url: `${api.origin}/json` });
    expect(api.requests.map(({ method, headers, body }) => [method, headers["content-type"], body])).toEqual([
      ["POST", "application/json", '{"a":1}'],
      ["POST", "application/x-www-form-urlencoded;charset=UTF-8", "a=1+2"],
      ["POST", "application/json", '{"a":1}'],
    ]);
  });

  it("sends no more of a library's headers than are needed, and the gateway's credentials in place of its own", async () => {
    const api = await startSequence(fine);
    const headers = new Headers({
      accept: "application/vnd.archive+json",
      authorization: "Bearer other",
      cookie: "session=other",
      "archive-version": "3",
      "user-agent": "archive-sdk/1 node/24",
    });
    await connect(api.origin, {}, ["archive-version"])(api.origin, { headers });
    const [seen] = api.requests;
    expect(seen?.headers).toMatchObject({
      accept: "application/vnd.archive+json",
      authorization: "Bearer hunter2",
      "archive-version": "3",
    });
    expect(JSON.stringify(seen?.headers)).not.toMatch(/other|archive-sdk/);
  });

  it("asks no private address, and gives no credentials to another host", async () => {
    const other = await startSequence(fine);
    const api = await start(() => ({ status: 302, headers: { location: "http://169.254.169.254/latest" } }));
    expect(await errorOf(connect(api.origin)(api.origin))).toMatchObject({ code: "SOURCE_FORBIDDEN" });
    await connect(api.origin)(other.origin, { headers: { authorization: "Bearer hunter2" } });
    expect(JSON.stringify(other.requests[0]?.headers)).not.toContain("hunter2");
  });

  it("waits, renews and reads again as the gateway does, without the library's knowing", async () => {
    const busy = { status: 429, headers: { "retry-after": "0" } };
    const api = await startSequence(busy, { status: 401 }, { ...fine, breakAfterBytes: 5 }, fine);
    const renewals: boolean[] = [];
    const authorize = async (renew: boolean) => (renewals.push(renew), {});
    expect(await (await connect(api.origin, { authorize })(api.origin)).json()).toEqual({ title: "Plän" });
    expect(renewals).toEqual([false, true]);
    expect(api.requests.length).toBe(4);
  });

  it("renews after an answer that refuses the credentials with status 200", async () => {
    const api = await startSequence({ body: { ok: false } }, fine);
    const isRefusal = (answer: unknown) => JSON.stringify(answer) === '{"ok":false}';
    expect(await (await connect(api.origin, { isRefusal })(api.origin)).json()).toEqual({ title: "Plän" });
  });

  it.each([
    ["refuses", { status: 404, body: "hunter2" }, { code: "SOURCE_NOT_FOUND", status: 404, body: "hunter2" }],
    [
      "wants to be left alone for long",
      { status: 429, headers: { "retry-after": "86400" } },
      { code: "RATE_LIMITED", details: { retryAfterMs: 86_400_000 } },
    ],
    ["is no JSON", { body: "<html>" }, { code: "SOURCE_UNREACHABLE" }],
    ["is nothing", { status: 204 }, { code: "SOURCE_UNREACHABLE" }],
  ])("throws the gateway's own error where an answer %s", async (_, answer, expected) => {
    const api = await startSequence(answer);
    const error = await errorOf(connect(api.origin)(api.origin));
    expect(isAnnealError(error)).toBe(true);
    expect(error).toMatchObject(expected);
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("hunter2");
  });

  it("does nothing that changes, or that could not be sent again", async () => {
    const api = await startSequence(fine);
    const fetch = connect(api.origin);
    expect(await errorOf(fetch(api.origin, { method: "DELETE" }))).toBeInstanceOf(TypeError);
    const stream = new ReadableStream();
    expect(await errorOf(fetch(api.origin, { method: "POST", body: stream }))).toBeInstanceOf(TypeError);
    expect(api.requests).toEqual([]);
  });

  describe("and the library around it", () => {
    const wrapped = (cause: unknown) =>
      Object.assign(new Error("request failed", { cause }), { headers: { authorization: "Bearer hunter2" } });
    const told = (error: unknown) => errorOf(Promise.reject(error).catch(orOwnError("Archive", abort.signal)));

    it("has the gateway's error found again in what the library wraps it in", async () => {
      const api = await startSequence({ status: 404 });
      const error = await errorOf(connect(api.origin)(api.origin));
      expect(error).toBeInstanceOf(RemoteError);
      expect(await told(wrapped(wrapped(error)))).toBe(error);
      expect(await told(error)).toBe(error);
    });

    it("never hands on the library's own, which carries the request", async () => {
      const error = await told(wrapped(new SyntaxError("Unexpected token of hunter2")));
      expect(error).toMatchObject({ code: "SOURCE_UNREACHABLE", retryable: false });
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("hunter2");
    });

    it("ends with the reason when the sync is cancelled in the middle of a request", async () => {
      const api = await start(() => new Promise<ApiAnswer>(() => {}));
      const work = async () => {
        await connect(api.origin)(api.origin).catch((error: unknown) => Promise.reject(wrapped(String(error))));
      };
      const asked = errorOf(work().catch(orOwnError("Archive", abort.signal)));
      await vi.waitUntil(() => api.requests.length === 1);
      const reason = new Error("cancelled by a person");
      abort.abort(reason);
      expect(await asked).toBe(reason);
    });
  });
});
