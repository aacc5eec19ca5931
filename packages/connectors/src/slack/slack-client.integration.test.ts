import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { startApi, type ApiAnswer, type ApiRequest, type TestApi } from "../../conformance/start-api.ts";
import { slackConfigSchema } from "./config.ts";
import { createSlackClient, type SlackClient } from "./slack-client.ts";

const teamSchema = z.looseObject({ team: z.string() });
const acme = { ok: true, team: "Acme" };

describe("createSlackClient", () => {
  const apis: TestApi[] = [];
  const clients: SlackClient[] = [];
  let abort: AbortController;
  beforeEach(() => {
    abort = new AbortController();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    for (const api of apis.splice(0)) await api.stop();
  });

  const connect = async (answer: (request: ApiRequest) => ApiAnswer | Promise<ApiAnswer>) => {
    const api = await startApi(answer);
    apis.push(api);
    const config = slackConfigSchema.parse({ apiUrl: `${api.origin}/api`, allowPrivateHosts: true });
    const limits = { documentBytes: 1000, requestTimeoutMs: 5000 };
    const client = createSlackClient(config, { botToken: "xoxb-very-secret" }, { signal: abort.signal, limits });
    clients.push(client);
    return { api, client };
  };
  const errorOf = async (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => null,
      (error: unknown) => error,
    );

  it("asks with a form, and shows the token in one header", async () => {
    const { api, client } = await connect(() => ({ body: acme }));
    expect(await client.call("team.info", teamSchema, { team: "T1", inclusive: true, limit: 2 })).toMatchObject(acme);
    const { method, path, query, headers, body } = api.requests[0]!;
    expect([method, path, [...query], body]).toEqual(["POST", "/api/team.info", [], "team=T1&inclusive=true&limit=2"]);
    expect(headers).toMatchObject({
      authorization: "Bearer xoxb-very-secret",
      "content-type": "application/x-www-form-urlencoded",
    });
    expect(JSON.stringify(headers)).not.toContain("slack");
  });

  it("is not held up by another method's wait", async () => {
    const busy = { status: 429, headers: { "retry-after": "60" }, body: { ok: false, error: "ratelimited" } };
    const { api, client } = await connect(({ path }) => (path === "/api/users.list" ? busy : { body: acme }));
    const waiting = errorOf(client.call("users.list", teamSchema));
    await vi.waitUntil(() => api.requests.length === 1);
    for (let count = 0; count < 5; count += 1) await client.call("team.info", teamSchema);
    expect(api.requests.filter(({ path }) => path === "/api/users.list").length).toBe(1);
    abort.abort(new Error("enough"));
    expect(await waiting).toMatchObject({ message: "enough" });
  });

  it("ends with the reason when the sync is cancelled in the middle of a request", async () => {
    const { api, client } = await connect(() => new Promise<ApiAnswer>(() => {}));
    const asked = errorOf(client.call("team.info", teamSchema));
    await vi.waitUntil(() => api.requests.length === 1);
    const reason = new Error("cancelled by a person");
    abort.abort(reason);
    expect(await asked).toBe(reason);
  });

  const nested = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
  it.each([
    ["nothing", "null", {}],
    ["a text", '"secret of the answer"', {}],
    ["neither yes nor no", '{"team":"secret of the answer"}', {}],
    ["yes, without what was asked for", '{"ok":true,"team":{"name":"secret of the answer"}}', {}],
    ["yes, in a library's words that are none", '{"ok":true,"team":"a","response_metadata":{"warnings":7}}', {}],
    ["no, for a reason that is no word", '{"ok":false,"error":{"reason":"secret of the answer"}}', {}],
    ["nested without end", `{"ok":true,"team":"secret of the answer","more":${nested}}`, {}],
    ["no JSON", "<html>secret of the answer", {}],
    ["packed, as it says", '{"ok":true,"team":"a"}', { "content-type": "application/gzip" }],
  ])("takes no answer that is %s, and keeps what is in it to itself", async (_, body, headers) => {
    const { client } = await connect(() => ({ body, headers }));
    const readAll = async () => {
      for await (const _page of client.pages("users.list", teamSchema));
    };
    for (const work of [client.call("team.info", teamSchema), readAll()]) {
      const error = await errorOf(work);
      expect(error).toMatchObject({ code: "SOURCE_UNREACHABLE" });
      expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/secret/);
    }
  });
});
