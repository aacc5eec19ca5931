import { expect, test } from "@playwright/test";
import OpenAI from "openai";
import { e2eEnv } from "./env.ts";

// The OpenAI client as it is, pointed at the portal: what a service does.
const { url, apiKey, assistant, question } = e2eEnv();
const client = (key = apiKey) => new OpenAI({ baseURL: `${url}/api/v1`, apiKey: key, maxRetries: 0 });

test.skip(url === undefined || apiKey === "", "no portal with an API key is running");

test("lists the base model, the adapter's alias and the assistant", async () => {
  const models = await client().models.list();
  const names = models.data.map((model) => model.id);
  expect(names).toEqual(expect.arrayContaining(["SmolLM2-135M-Instruct", `${assistant}@production`, assistant]));
});

test("answers through the adapter's alias, whole and streamed alike", async () => {
  const request = {
    model: `${assistant}@production`,
    messages: [{ role: "user" as const, content: question }],
    temperature: 0,
    max_tokens: 24,
  };
  const whole = await client().chat.completions.create(request);
  expect(whole.choices[0]?.message.content).toBeTruthy();
  expect(whole.usage?.completion_tokens).toBeGreaterThan(0);
  const stream = await client().chat.completions.create({ ...request, stream: true });
  let streamed = "";
  for await (const chunk of stream) {
    // The usage chunk was not asked for: every chunk has a choice.
    expect(chunk.choices).toHaveLength(1);
    streamed += chunk.choices[0]?.delta.content ?? "";
  }
  expect(streamed).toBe(whole.choices[0]?.message.content);
});

test("an assistant's answer carries citations whose quotes stand in the documents", async () => {
  const answer = await client().chat.completions.create({
    model: assistant,
    messages: [{ role: "user", content: question }],
  });
  const { anneal } = answer as unknown as {
    anneal: { outcome: string; citations: { uri: string; title: string; quote: string }[] };
  };
  expect(["grounded", "quoted"]).toContain(anneal.outcome);
  expect(anneal.citations.length).toBeGreaterThan(0);
  expect(anneal.citations.map((citation) => citation.quote).join(" ")).toContain("41");
  expect(answer.choices[0]?.message.content).toContain("[1]");
});

test("an assistant streams nothing that it takes back", async () => {
  const request = { model: assistant, messages: [{ role: "user" as const, content: question }] };
  const whole = await client().chat.completions.create(request);
  const stream = await client().chat.completions.create({ ...request, stream: true });
  let streamed = "";
  for await (const chunk of stream) streamed += chunk.choices[0]?.delta.content ?? "";
  expect(streamed).toBe(whole.choices[0]?.message.content);
});

test("embeds with the index's own model", async () => {
  const { data } = await client().embeddings.create({ model: "all-MiniLM-L6-v2", input: ["a pump", "a pump"] });
  expect(data).toHaveLength(2);
  expect(data[0]?.embedding).toHaveLength(384);
  expect(data[0]?.embedding).toEqual(data[1]?.embedding);
});

test("a wrong key and an unknown model say what to do", async () => {
  await expect(client("ank_wrong").models.list()).rejects.toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
  const unknown = client().chat.completions.create({ model: "nobody", messages: [{ role: "user", content: "Hi" }] });
  await expect(unknown).rejects.toMatchObject({ status: 404, code: "MODEL_UNKNOWN" });
});

const send = (path: string, init: RequestInit = {}) =>
  fetch(`${url}/api/v1${path}`, {
    method: "POST",
    ...init,
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json", ...init.headers },
  });
const chatWith = (change: object) =>
  JSON.stringify({ model: "SmolLM2-135M-Instruct", messages: [{ role: "user", content: "Hi" }], ...change });

for (const [what, ask, expected] of [
  ["an unknown path", () => send("/nothing"), { status: 404, code: "NOT_FOUND" }],
  ["the bare address", () => send("", { method: "GET" }), { status: 404, code: "NOT_FOUND" }],
  ["a wrong method", () => send("/chat/completions", { method: "GET" }), { status: 405, code: "METHOD_NOT_ALLOWED" }],
  ["a list that is posted", () => send("/models"), { status: 405, code: "METHOD_NOT_ALLOWED" }],
  ["no JSON", () => send("/chat/completions", { body: '{"model":' }), { status: 400, code: "INVALID_INPUT" }],
  ["JSON that is no object", () => send("/chat/completions", { body: "[]" }), { status: 400, code: "INVALID_INPUT" }],
  [
    "no messages",
    () => send("/chat/completions", { body: chatWith({ messages: [] }) }),
    { status: 400, code: "INVALID_INPUT" },
  ],
  [
    "a wrong type",
    () => send("/chat/completions", { body: chatWith({ temperature: "hot" }) }),
    { status: 400, code: "INVALID_INPUT", param: "temperature" },
  ],
  [
    "an unknown parameter",
    () => send("/chat/completions", { body: chatWith({ temprature: 0 }) }),
    { status: 400, code: "INVALID_INPUT", param: "temprature" },
  ],
  [
    "an oversized body",
    () => send("/chat/completions", { body: " ".repeat(33 * 1024 ** 2) }),
    { status: 413, code: "REQUEST_TOO_LARGE" },
  ],
  ["an embedding of nothing", () => send("/embeddings", { body: "{}" }), { status: 400, code: "INVALID_INPUT" }],
] as const)
  test(`refuses ${what} in the shape that OpenAI's clients read`, async () => {
    const response = await ask();
    const { error } = (await response.json()) as { error: Record<string, unknown> };
    expect({ status: response.status, code: error["code"], param: error["param"] }).toEqual({
      param: null,
      ...expected,
    });
    expect(error).toMatchObject({ type: "invalid_request_error", message: expect.stringMatching(/\.$/) });
    expect(error["action"]).toBeTruthy();
    if (response.status === 405) expect(response.headers.get("allow")).toMatch(/^(GET|POST)$/);
  });

test("takes a parameter of the engine's own", async () => {
  const response = await send("/chat/completions", { body: chatWith({ max_tokens: 2, top_k: 1 }) });
  expect(response.status).toBe(200);
});
