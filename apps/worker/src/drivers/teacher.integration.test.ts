import type { Passage } from "@anneal/core/chat/passage";
import { createInferenceClient } from "@anneal/engines/inference-client";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { afterEach, expect, it } from "vitest";
import { createTeacher } from "./teacher.ts";

type ChatRequest = { model: string; messages: { content: string }[]; response_format?: unknown };

/** A server as any OpenAI-compatible one: knows its key and its model, and answers what the test makes it say. */
let server: Server | undefined;
const asked: ChatRequest[] = [];

afterEach(() => {
  server?.close();
  server?.closeAllConnections();
  asked.length = 0;
});

async function startTeacherServer(say: (request: ChatRequest) => string): Promise<string> {
  const answer = async (request: IncomingMessage): Promise<[number, unknown]> => {
    if (request.headers.authorization !== "Bearer the-key") return [401, { error: { message: "wrong key" } }];
    if (request.url !== "/v1/chat/completions") return [404, { error: { message: "no such path" } }];
    const body = (await json(request)) as ChatRequest;
    asked.push(body);
    const message = { role: "assistant", content: say(body) };
    const usage = { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 };
    return [
      200,
      { id: "1", object: "chat.completion", choices: [{ index: 0, message, finish_reason: "stop" }], usage },
    ];
  };
  server = createServer((request, response) => {
    void answer(request).then(([status, body]) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const text = "The bridge was opened in 1931. It carries two tram lines and is painted every nine years.";
const passage: Passage = {
  documentId: "0b0e8f5e-8f6a-4d6b-9a51-000000000001",
  chunkId: "0b0e8f5e-8f6a-4d6b-9a51-000000000002",
  uri: "file:///bridge.md",
  title: "Bridge",
  context: "Bridge",
  tableHeader: null,
  text,
  charStart: 0,
  places: [],
  language: "en",
  cosine: null,
};
const signal = () => AbortSignal.timeout(20_000);

it("takes whole pairs from an OpenAI-compatible teacher, and drops with a reason what the passage does not say", async () => {
  const url = await startTeacherServer(() =>
    JSON.stringify({
      pairs: [
        {
          question: "How often is the bridge painted?",
          answer: "Every nine years.",
          quote: "painted every nine years",
        },
        { question: "Who designed the bridge?", answer: "Ada Lovelace designed it.", quote: "designed by Ada" },
      ],
    }),
  );
  const teacher = createTeacher({
    client: () => createInferenceClient({ url, apiKey: "the-key" }),
    model: "big",
    style: "pairs",
  });
  const { pairs, dropped } = await teacher.askAbout([passage], signal());
  expect(pairs).toMatchObject([{ question: "How often is the bridge painted?", origin: "generated" }]);
  const { charStart, charEnd } = pairs[0]!.source;
  expect(text.slice(charStart, charEnd)).toContain("painted every nine years");
  expect(dropped).toMatchObject([{ code: "UNSUPPORTED", pair: { question: "Who designed the bridge?" } }]);
  expect(asked).toMatchObject([{ model: "big", response_format: { type: "json_schema" } }]);
});

it("asks a small teacher only for questions, so that every answer is the passage's own sentence", async () => {
  const url = await startTeacherServer(({ messages }) =>
    messages.at(-1)!.content.includes("1931") ? "Question: When was the bridge opened?" : "I cannot think of one.",
  );
  const teacher = createTeacher({
    client: () => createInferenceClient({ url, apiKey: "the-key" }),
    model: "small",
    style: "questions",
  });
  const { pairs } = await teacher.askAbout([passage], signal());
  expect(pairs.map(({ question, answer }) => [question, answer])).toEqual([
    ["When was the bridge opened?", "The bridge was opened in 1931."],
  ]);
});

it("says that the teacher's key is wrong, without telling the key", async () => {
  const url = await startTeacherServer(() => "");
  const teacher = createTeacher({
    client: () => createInferenceClient({ url, apiKey: "a-wrong-key" }),
    model: "big",
    style: "pairs",
  });
  const error = await teacher.askAbout([passage], signal()).catch((caught: unknown) => caught);
  expect(String(error)).not.toContain("a-wrong-key");
  expect(error).toMatchObject({ name: "AnnealError", action: expect.stringMatching(/key/i) });
});
