import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, type APIRequestContext } from "@playwright/test";
import { e2eEnv } from "./env.ts";

const { stateDir = "", url = "" } = e2eEnv();
let headers: Record<string, string> = {};

test.skip(stateDir === "", "ANNEAL_E2E_STATE_DIR does not name the state folder of a running stack.");
test.use({ storageState: { cookies: [], origins: [] } });

test.beforeAll(async () => {
  const { apiKey } = JSON.parse(await readFile(join(stateDir, "access.json"), "utf8")) as { apiKey: string };
  headers = { authorization: `Bearer ${apiKey}` };
});

test("answers nobody without a key, wherever they say that they come from", async ({ request }) => {
  const attempts: Record<string, string>[] = [
    {},
    { "x-forwarded-for": "127.0.0.1" },
    { authorization: "Bearer ank_wrong" },
  ];
  for (const sent of attempts) expect((await request.get(`${url}/metrics`, { headers: sent })).status()).toBe(401);
});

test("a streamed call moves its counters, and leaves nothing in flight", async ({ request }) => {
  const listed = (await (await request.get(`${url}/api/v1/models`, { headers })).json()) as {
    data: { id: string; anneal: { kind: string } }[];
  };
  const model = listed.data.find((each) => each.anneal.kind === "base")?.id ?? "";
  const before = await read(request, model);
  const messages = [{ role: "user", content: "Say hello." }];
  const data = { model, messages, max_tokens: 8, stream: true };
  const answer = await request.post(`${url}/api/v1/chat/completions`, { headers, data });
  expect(await answer.text()).toContain("[DONE]");
  const after = await read(request, model);
  expect(after.ok - before.ok).toBe(1);
  expect(after.firstTokens - before.firstTokens).toBe(1);
  expect(after.durations - before.durations).toBe(1);
  expect(after.promptTokens).toBeGreaterThan(before.promptTokens);
  expect(after.completionTokens - before.completionTokens).toBeGreaterThan(0);
  expect(after.completionTokens - before.completionTokens).toBeLessThanOrEqual(8);
  expect(after.inFlight).toBe(0);
  expect(after.processSeconds).toBeGreaterThan(0);
});

async function read(request: APIRequestContext, model: string) {
  const response = await request.get(`${url}/metrics`, { headers });
  expect(response.status()).toBe(200);
  expect(response.headers()["content-type"]).toContain("text/plain; version=0.0.4");
  const lines = (await response.text()).split("\n");
  /** 0 for what has not been counted yet. */
  const valueOf = (name: string, ...labels: string[]) => {
    const found = lines.find((line) => line.startsWith(name) && labels.every((label) => line.includes(label)));
    return Number(found?.split(" ").at(-1) ?? 0);
  };
  const named = `model="${model}"`;
  return {
    ok: valueOf("anneal_gateway_requests_total{", named, 'outcome="ok"'),
    firstTokens: valueOf("anneal_gateway_time_to_first_token_seconds_count{", named),
    durations: valueOf("anneal_gateway_duration_seconds_count{", named),
    promptTokens: valueOf("anneal_gateway_tokens_total{", named, 'direction="prompt"'),
    completionTokens: valueOf("anneal_gateway_tokens_total{", named, 'direction="completion"'),
    inFlight: valueOf("anneal_gateway_in_flight{", named),
    processSeconds: valueOf("process_cpu_seconds_total"),
  };
}
