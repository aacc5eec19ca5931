import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { choosePort } from "@anneal/processes/choose-port";
import { locatePython } from "./python-env.ts";
import { type EngineOptions, startEngine } from "./start-engine.ts";

const answerSchema = z.object({
  model: z.string(),
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })),
});

async function makeOptions(): Promise<EngineOptions> {
  const python = locatePython(process.env);
  return {
    python,
    model: python.modelDir,
    servedName: "base",
    port: await choosePort(undefined),
    maxLoras: 4,
    maxLoraRank: 16,
    kvCacheGiB: 0.25,
    maxContextTokens: 512,
    logFile: join(await mkdtemp(join(tmpdir(), "anneal-engine-")), "engine.log"),
    env: process.env,
  };
}

describe("startEngine", () => {
  it("serves the base model by chat, refuses an adapter that does not exist, and stops", async () => {
    const engine = await startEngine(await makeOptions());
    try {
      const response = await post(`${engine.url}/v1/chat/completions`, {
        model: "base",
        messages: [{ role: "user", content: "Name one colour." }],
        max_tokens: 8,
        temperature: 0,
      });
      const answer = answerSchema.parse(await response.json());
      expect(answer.model).toBe("base");
      expect(answer.choices[0]?.message.content.length).toBeGreaterThan(0);
      const refused = await post(`${engine.url}/v1/load_lora_adapter`, {
        lora_name: "x",
        lora_path: "/nowhere",
      });
      expect(refused.ok).toBe(false);
    } finally {
      await engine.stop();
    }
    await expect(fetch(`${engine.url}/health`)).rejects.toThrow();
  }, 240_000);

  it("says that the base model is unknown when its folder is not there", async () => {
    const options = await makeOptions();
    await expect(startEngine({ ...options, model: "/nowhere/at-all" })).rejects.toMatchObject({
      code: "MODEL_UNKNOWN",
    });
  }, 240_000);
});

function post(url: string, body: unknown): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}
