import { expect, test } from "@playwright/test";
import OpenAI from "openai";

// The OpenAI client as it is, pointed at the portal: what a service does.
const client = (apiKey = process.env["ANNEAL_E2E_API_KEY"] ?? "") =>
  new OpenAI({ baseURL: `${process.env["ANNEAL_E2E_URL"]}/api/v1`, apiKey, maxRetries: 0 });

const question = "How long must an Ostrevik password be?";

test("lists the base model, the adapter's alias and the assistant", async () => {
  const models = await client().models.list();
  const names = models.data.map((model) => model.id);
  expect(names).toEqual(expect.arrayContaining(["SmolLM2-135M-Instruct", "support@production", "support"]));
});

test("answers through the adapter's alias, whole and streamed alike", async () => {
  const request = {
    model: "support@production",
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
    model: "support",
    messages: [{ role: "user", content: question }],
  });
  const { anneal } = answer as unknown as {
    anneal: { outcome: string; citations: { uri: string; title: string; quote: string }[] };
  };
  expect(["grounded", "quoted"]).toContain(anneal.outcome);
  expect(anneal.citations.length).toBeGreaterThan(0);
  expect(anneal.citations.map((citation) => citation.quote).join(" ")).toContain("17");
  expect(answer.choices[0]?.message.content).toContain("[1]");
});

test("an assistant streams nothing that it takes back", async () => {
  const request = { model: "support", messages: [{ role: "user" as const, content: question }] };
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
