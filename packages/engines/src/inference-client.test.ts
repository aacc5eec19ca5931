import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { classifyEngineError, readServerSentEvents } from "./inference-client.ts";

async function* cutAt(bytes: Uint8Array, cuts: number[]): AsyncGenerator<Uint8Array> {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((left, right) => left - right);
  let start = 0;
  for (const place of [...places, bytes.length]) {
    yield bytes.subarray(start, place);
    start = place;
  }
}

async function read(text: string, cuts: number[] = []): Promise<string[]> {
  const events: string[] = [];
  for await (const data of readServerSentEvents(cutAt(Buffer.from(text), cuts))) events.push(data);
  return events;
}

describe("server-sent events", () => {
  it("come out the same however the network cuts the bytes, also within a character or a line end", async () => {
    const line = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !/[\r\n]/.test(text));
    const stream = fc.record({
      events: fc.array(fc.array(line, { minLength: 1, maxLength: 3 })),
      newline: fc.constantFrom("\n", "\r\n"),
    });
    await fc.assert(
      fc.asyncProperty(stream, fc.array(fc.nat(), { maxLength: 20 }), async ({ events, newline }, cuts) => {
        const text = events.map((lines) => lines.map((each) => `data: ${each}${newline}`).join("") + newline).join("");
        expect(await read(text, cuts)).toEqual(events.map((lines) => lines.join("\n")));
      }),
    );
  });

  it("keep all but the one space after the colon", async () => {
    expect(await read("data:a\n\ndata: b\n\ndata:  c\n\n")).toEqual(["a", "b", " c"]);
  });

  it("leave out comments, other fields and an event that was never ended", async () => {
    expect(await read(": keep-alive\n\nevent: x\nid: 1\ndata: a\n\ndata: cut off")).toEqual(["a"]);
  });
});

/** The prose is vLLM 0.32's: vllm/lora/peft_helper.py, vllm/entrypoints/serve/lora, vllm/entrypoints/openai. */
test.each([
  ["a rank above the limit", 400, "LoRA rank 64 is greater than max_lora_rank 16.", "ADAPTER_UNSERVEABLE", false],
  [
    "a folder without an adapter",
    404,
    "Loading lora x failed: No adapter found for /data/x",
    "ADAPTER_UNSERVEABLE",
    false,
  ],
  [
    "modules that the base does not have",
    500,
    "While loading /x, expected target modules in ['q_proj'] but received ['foo']. Please verify that the loaded LoRA module is correct; unexpected modules",
    "ADAPTER_UNSERVEABLE",
    false,
  ],
  [
    "a name that is loaded",
    400,
    "The lora adapter 'x' has already been loaded. If you want to load the adapter in place, set 'load_inplace' to True.",
    "CONFLICT",
    false,
  ],
  ["a name that is not loaded", 404, "The lora adapter 'x' cannot be found.", "NOT_FOUND", false],
  ["an unknown model", 404, "The model `x` does not exist.", "NOT_FOUND", false],
  ["a wrong key", 401, "Unauthorized", "ENGINE_UNAVAILABLE", false],
  ["a full queue", 429, "Too many requests", "RATE_LIMITED", true],
  ["a prompt that is too long", 400, "This model's maximum context length is 2048 tokens.", "INVALID_INPUT", false],
  ["an engine that died", 500, "EngineCore encountered an issue.", "ENGINE_UNAVAILABLE", true],
  ["a proxy's page", 502, "<html>Bad Gateway</html>", "ENGINE_UNAVAILABLE", true],
] as const)("tells %s (%i) from every other fault", (_, status, message, code, retryable) => {
  const wrapped = JSON.stringify({ error: { message, type: "BadRequestError", code: status } });
  for (const text of [message, wrapped]) {
    const error = classifyEngineError(status, text);
    expect({ code: error.code, retryable: error.retryable }).toEqual({ code, retryable });
    expect(error.details["engineMessage"]).toContain(message.slice(0, 40));
  }
});

it("reads a message with quotes in it to its end, and cuts a very long one", () => {
  const message = `He said "no". ${"x".repeat(1000)}`;
  const { details } = classifyEngineError(400, JSON.stringify({ error: { message } }));
  expect(String(details["engineMessage"])).toMatch(/said .*no/);
  expect(String(details["engineMessage"]).length).toBe(400);
});

it("names the parameter that the engine refuses, and its problem in one sentence", () => {
  const message =
    "1 validation error:\n  {'type': 'float_parsing', 'loc': 'body.temperature', 'msg': 'Input should be a valid number', 'input': 'hot'}";
  expect(classifyEngineError(400, JSON.stringify({ error: { message } }))).toMatchObject({
    code: "INVALID_INPUT",
    message: 'The engine refused "temperature": Input should be a valid number.',
    details: { param: "temperature" },
  });
});
