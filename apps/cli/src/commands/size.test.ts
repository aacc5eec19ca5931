import { makePlans } from "@anneal/sizing/plan/plan";
import { Command } from "commander";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, describe, expect, it } from "vitest";
import { formatPlans } from "./format-plans.ts";
import { addSizeCommand, answerLines } from "./size.ts";

const model = {
  model_type: "llama",
  hidden_size: 4096,
  intermediate_size: 14_336,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  vocab_size: 128_256,
  max_position_embeddings: 131_072,
  torch_dtype: "bfloat16",
};
const latency = (batch: number) =>
  JSON.stringify({
    op: "latency",
    model,
    gpu: "H100-80GB",
    engine: "vllm",
    precision: "fp8",
    batch,
    isl: 512,
    osl: 64,
  });

const dir = mkdtempSync(join(tmpdir(), "anneal-size-"));
writeFileSync(join(dir, "config.json"), JSON.stringify(model));
writeFileSync(join(dir, "broken.json"), "{");
afterAll(() => rmSync(dir, { recursive: true }));

describe("size --json", () => {
  it("answers a line before the next one comes", async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const done = answerLines(input, output);
    const lines = output.setEncoding("utf8")[Symbol.asyncIterator]();
    for (const batch of [1, 2]) {
      input.write(`${latency(batch)}\n`);
      const { value } = await lines.next();
      expect(JSON.parse(value as string)).toMatchObject({ ttftMs: expect.any(Number), tpotMs: expect.any(Number) });
    }
    input.end();
    await done;
  });

  it("answers a line that is not JSON, an odd one and an unknown one with an error each, and then the next line", async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    input.end(["{ op:", "", "7", JSON.stringify({ op: "fly" }), latency(4)].join("\r\n"));
    await answerLines(input, output);
    const answers = String(output.read())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const refused = (message: string) => ({
      error: { code: "INVALID_REQUEST", message: expect.stringContaining(message) },
    });
    expect(answers).toMatchObject([
      refused("The line is not JSON"),
      refused("not a number"),
      refused('The field op is "fly"'),
      { ttftMs: expect.any(Number) },
    ]);
  });
});

describe("size for people", () => {
  const run = (...args: string[]) => {
    const program = new Command("anneal").exitOverride();
    addSizeCommand(program, { INIT_CWD: dir });
    return program.parseAsync(["size", ...args], { from: "user" });
  };

  it.each([
    ["no model", ["--users", "5"], "No model was named"],
    ["no load", ["--model", "."], "No load was named"],
    ["no such file", ["--model", "nowhere/config.json", "--users", "5"], "nowhere/config.json does not exist"],
    ["a file that is not JSON", ["--model", "broken.json", "--users", "5"], "cannot be read as JSON"],
    ["an unknown GPU", ["--model", ".", "--users", "5", "--gpu", "H900"], 'no GPU "H900"'],
    ["a context that is too long", ["--model", ".", "--users", "5", "--context", "999999"], "at most 131072 tokens"],
    ["options beside --json", ["--json", "--users", "5"], "other options were given too"],
  ])("refuses %s in one sentence", async (_name, args, message) => {
    await expect(run(...args)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining(message),
      action: expect.any(String),
    });
  });

  it("shows plans side by side, why the first one, and what was left out", () => {
    const text = formatPlans(makePlans({ model, peakUsers: 200, gpus: ["L4", "L40S", "H100"] }), 100);
    expect(text).toMatch(/^The load\n {2}200 users at once x 5%/);
    expect(text).toMatch(/GPUs +weights +split +replicas +GiB free +TTFT +tok\/s/);
    expect(text).toMatch(/\n {2}1 {2}\d+ x L40S/);
    expect(text).toContain("Why the first one: ");
    expect(text).toMatch(/Left out \(\d+\)\n/);
    const sentences = text.split("\n").filter((line) => !/\S {2}/.test(line.trim()));
    expect(Math.max(...sentences.map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it("says so where no plan is left", () => {
    const text = formatPlans(makePlans({ model, peakUsers: 5, gpus: ["L4"], budget: { perMonth: 1 } }), 100);
    expect(text).toContain("No plan meets all limits.");
    expect(text).toMatch(/over the budget of \$1\.00/);
  });
});
