import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { AnnealError, errorCodes } from "@anneal/core/errors";
import { z } from "zod";
import { completeStamp, isComplete, repoDir } from "./environment.mjs";
import type { PythonEnvironment } from "./python-env.ts";

const downloadScript = join(repoDir, "infra/python/download_model.py");
/** "organisation/name", as the Hugging Face Hub names models. */
const hubId = /^[\w-][\w.-]*\/[\w-][\w.-]*$/;

const lineSchema = z.union([
  z.object({ done: z.number(), total: z.number() }),
  z.object({ code: z.enum(errorCodes), message: z.string(), action: z.string() }),
]);

type Options = {
  /** A folder, or a Hugging Face id. */
  model: string;
  python: PythonEnvironment;
  env: Readonly<Record<string, string | undefined>>;
  /** Told of a download while it lasts. */
  onProgress?: (note: string) => void;
  signal?: AbortSignal;
};

/**
 * The folder of the base model, which engine, worker and trainer all read. A Hugging Face id is downloaded once into
 * the cache, where its last segment stays the model's name.
 * @throws AnnealError MODEL_UNKNOWN at once for a folder that holds no model: the engine would say so only after a
 *   minute of loading. DISK_FULL, CANCELLED
 */
export async function resolveBaseModel(options: Options): Promise<string> {
  const { model, python, env } = options;
  const folder = resolve(env["INIT_CWD"] ?? ".", model);
  if (isAbsolute(model) || /^\.{1,2}(\/|$)/.test(model) || existsSync(folder)) {
    await requireModel(folder);
    return folder;
  }
  if (!hubId.test(model))
    throw unknownModel(`The base model ${JSON.stringify(model)} is neither a folder nor a Hugging Face id.`);
  const cached = join(python.cacheDir, "models/hub", model);
  if (isComplete(cached)) return cached;
  await mkdir(cached, { recursive: true });
  await download(cached, options);
  await requireModel(cached);
  await writeFile(join(cached, completeStamp), "");
  return cached;
}

async function requireModel(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => null);
  if (names === null) throw unknownModel(`The base model's folder ${folder} does not exist, or cannot be read.`);
  for (const [what, found] of [
    ["config.json", names.includes("config.json")],
    ["safetensors file", names.some((name) => name.endsWith(".safetensors"))],
  ] as const)
    if (!found) throw unknownModel(`The base model's folder ${folder} holds no ${what}.`);
}

function unknownModel(message: string): AnnealError {
  return new AnnealError("MODEL_UNKNOWN", message, {
    action:
      "Set ANNEAL_BASE_MODEL to a folder with a complete model (config.json, safetensors, tokenizer) or to a Hugging Face id such as Qwen/Qwen3-0.6B, or unset it for the default.",
  });
}

async function download(folder: string, { model, python, env, onProgress, signal }: Options): Promise<void> {
  onProgress?.(`downloading ${model}`);
  const child = spawn(python.python, [downloadScript, model, folder], {
    env: { ...env, ...python.variables } as NodeJS.ProcessEnv,
    stdio: ["ignore", "pipe", "pipe"],
    signal,
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)));
  const ended = new Promise<number | null>((finish) => {
    child.once("error", () => finish(null));
    child.once("close", finish);
  });
  let failure: AnnealError | undefined;
  for await (const text of createInterface({ input: child.stdout })) {
    const line = lineSchema.parse(JSON.parse(text));
    if ("code" in line) failure = new AnnealError(line.code, line.message, { action: line.action, details: { model } });
    else onProgress?.(`downloading ${model}: ${formatGB(line.done)} of ${formatGB(line.total)} GB`);
  }
  if ((await ended) === 0) return;
  if (signal?.aborted)
    throw new AnnealError("CANCELLED", `The download of ${model} was stopped.`, {
      action: "Start again: it goes on where it stopped.",
    });
  throw failure ?? new Error(`The download of ${model} ended unexpectedly: ${said.trim().split("\n").at(-1) ?? ""}`);
}

function formatGB(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}
