import { afterEach, beforeEach, expect, it } from "vitest";
import { z } from "zod";
import { startApi, type ApiAnswer, type TestApi } from "../../conformance/start-api.ts";
import { createTestClock } from "../../conformance/test-clock.ts";
import { neverAskedAgain } from "./last-answered.ts";
import { createRemoteClient, RemoteError, type RemoteClient } from "./remote-client.ts";

const schema = z.object({ ok: z.boolean() });
const gatewayTimeout: ApiAnswer = { status: 504, body: "Gateway Time-out" };

let api: TestApi;
let client: RemoteClient;
/** What the service answers at a path. */
let answerAt: (path: string) => ApiAnswer | Promise<ApiAnswer>;
const never = Promise.withResolvers<ApiAnswer>();

beforeEach(async () => {
  api = await startApi(({ path }) => answerAt(path));
  const limits = { documentBytes: 1000, requestTimeoutMs: 200 };
  const context = { signal: new AbortController().signal, limits, clock: createTestClock() };
  client = createRemoteClient({ service: "Archive", baseUrl: api.origin, allowPrivateHosts: true, context });
});
afterEach(async () => {
  await client.close();
  await api.stop();
});

const refusalOf = (path: string) => client.json(path, schema).catch((error: unknown) => error);
const brokenAt = (answer: ApiAnswer | Promise<ApiAnswer>) => (path: string) =>
  path.startsWith("/broken") ? answer : { body: { ok: true } };

it("tells what a gateway gives up on alone from a service that it gives up on", async () => {
  answerAt = brokenAt(gatewayTimeout);
  // Nothing was answered yet.
  expect(await refusalOf("/broken")).toMatchObject({ code: "RATE_LIMITED", isAlone: false });
  await client.json("/fine", schema);
  const alone = await refusalOf("/broken");
  expect(alone).toMatchObject({ code: "RATE_LIMITED", status: 504, isAlone: true });
  expect(alone instanceof RemoteError && alone.toReport()).toMatchObject({ code: "SOURCE_UNREACHABLE" });
  answerAt = () => gatewayTimeout;
  expect(await refusalOf("/broken")).toMatchObject({ code: "RATE_LIMITED", isAlone: false });
});

it("tells what gets no answer alone from a service that is gone", async () => {
  answerAt = brokenAt(never.promise);
  await client.json("/fine", schema);
  expect(await refusalOf("/broken")).toMatchObject({ code: "SOURCE_UNREACHABLE", status: 0, isAlone: true });
  answerAt = () => never.promise;
  const gone = await refusalOf("/broken");
  expect(gone).toMatchObject({ code: "SOURCE_UNREACHABLE" });
  expect(gone).not.toBeInstanceOf(RemoteError);
});

it("takes what is refused of a kind, one after the other, for the service's refusal in the end", async () => {
  answerAt = brokenAt(gatewayTimeout);
  await client.json("/fine", schema);
  for (let index = 0; index < 20; index += 1) {
    expect(await refusalOf(`/broken/${index}`)).toMatchObject({ isAlone: true });
  }
  expect(await refusalOf("/broken/20")).toMatchObject({ code: "RATE_LIMITED", isAlone: false });
});

it("never sends again what is used up by being sent", async () => {
  answerAt = brokenAt(gatewayTimeout);
  await client.close();
  const limits = { documentBytes: 1000, requestTimeoutMs: 200 };
  const context = { signal: new AbortController().signal, limits, clock: createTestClock() };
  const options = { service: "Archive", baseUrl: api.origin, allowPrivateHosts: true, context };
  client = createRemoteClient({ ...options, lastAnswered: neverAskedAgain });
  await client.json("/token", schema, { method: "POST", body: "refresh_token=1" });
  expect(await refusalOf("/broken")).toMatchObject({ code: "RATE_LIMITED", isAlone: false });
  expect(api.requests.filter(({ path }) => path === "/token")).toHaveLength(1);
});

it("never asks again for what names a time to wait", async () => {
  answerAt = brokenAt({ status: 503, headers: { "retry-after": "3600" } });
  await client.json("/fine", schema);
  expect(await refusalOf("/broken")).toMatchObject({ code: "RATE_LIMITED", isAlone: false });
  expect(api.requests.map(({ path }) => path)).toEqual(["/fine", "/broken"]);
});
