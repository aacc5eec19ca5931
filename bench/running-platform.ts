// A running platform to measure: the one of ANNEAL_BENCH_URL, ANNEAL_BENCH_KEY and ANNEAL_BENCH_ENGINE, or a whole stack
// of its own in a temporary folder. Talks to it by its public API only, as any client would.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { choosePort } from "@anneal/processes/choose-port";
import { repoDir } from "@anneal/local-stack/environment";

export type Platform = {
  url: string;
  headers: Record<string, string>;
  /** vLLM's own address, without /v1. */
  engineUrl: string;
  query<T>(procedure: string, input: unknown): Promise<T>;
  mutate<T>(procedure: string, input: unknown): Promise<T>;
  close(): Promise<void>;
};

export async function openPlatform(): Promise<Platform> {
  const { ANNEAL_BENCH_URL: url, ANNEAL_BENCH_KEY: key, ANNEAL_BENCH_ENGINE: engineUrl } = process.env;
  if (url && key && engineUrl) return describe(url, key, engineUrl, async () => {});
  return startOwn();
}

function describe(url: string, key: string, engineUrl: string, close: () => Promise<void>): Platform {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const base = `${url}/api/w/default/trpc`;
  const unwrap = async <T>(response: Response): Promise<T> => {
    const body = (await response.json()) as { result: { data: { json: T } } };
    if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${JSON.stringify(body)}`);
    return body.result.data.json;
  };
  return {
    url,
    headers,
    engineUrl,
    close,
    async query(procedure, input) {
      const search = new URLSearchParams({ input: JSON.stringify({ json: input }) });
      return unwrap(await fetch(`${base}/${procedure}?${search}`, { headers }));
    },
    async mutate(procedure, input) {
      return unwrap(
        await fetch(`${base}/${procedure}`, { method: "POST", headers, body: JSON.stringify({ json: input }) }),
      );
    },
  };
}

async function startOwn(): Promise<Platform> {
  const stateDir = await mkdtemp(join(tmpdir(), "anneal-bench-"));
  const port = await choosePort(undefined);
  const child = spawn(process.execPath, [join(repoDir, "scripts/start.mjs"), "--no-examples"], {
    env: { ...process.env, ANNEAL_STATE_DIR: stateDir, ANNEAL_PORT: String(port) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const close = async () => {
    child.kill("SIGINT");
    await exited;
    await rm(stateDir, { recursive: true, force: true });
  };
  let output = "";
  child.stdout.on("data", (part: Buffer) => (output += part.toString()));
  while (!output.includes("It runs until")) {
    if (child.exitCode !== null) throw new Error(`The stack did not start:\n${output}`);
    await sleep(200);
  }
  const { apiKey } = await readJson<{ apiKey: string }>(join(stateDir, "access.json"));
  const record = await readJson<{ services: { name: string; url: string }[] }>(join(stateDir, "stack.json"));
  const engineUrl = record.services.find(({ name }) => name === "engine")?.url ?? "";
  return describe(`http://127.0.0.1:${port}`, apiKey, engineUrl, close);
}

async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(path, "utf8")) as T;
}

export type BenchVersion = { id: string; digest: string };
export const benchAdapter = "bench";

/** Two small versions of one adapter, trained by two trips round the loop on a few lines of text. */
export async function makeTwoVersions(platform: Platform): Promise<{ adapterId: string; versions: BenchVersion[] }> {
  const existing = await findAdapter(platform);
  if (existing && existing.versions.length >= 2) return existing;
  const dir = await mkdtemp(join(tmpdir(), "anneal-bench-source-"));
  try {
    for (const topic of ["pump", "filter", "valve", "gauge"]) {
      await mkdir(join(dir, topic));
      const pairs = ["changed", "cleaned", "ordered", "tested"].map(
        (verb, index) =>
          `## How often is the ${topic} ${verb}?\n\nThe ${topic} is ${verb} every ${index + 3} weeks by the technician on duty.\n`,
      );
      await writeFile(join(dir, topic, "notes.md"), `# Notes on the ${topic}\n\n${pairs.join("\n")}`);
    }
    const source = {
      name: `bench-${Date.now()}`,
      kind: "file",
      config: { path: dir },
      secrets: {},
      audience: "members",
      schedule: null,
    };
    const { sourceId } = await platform.mutate<{ sourceId: string }>("connect.create", source);
    for (const seed of [1, 2]) {
      const training = { rank: 8, epochs: 1, maxSteps: 4, batchTokens: 256, maxLength: 256, seed };
      const names = {
        datasetName: benchAdapter,
        adapterName: benchAdapter,
        assistantName: benchAdapter,
      };
      const settings = { sourceIds: [sourceId], generatedPassages: 0, evalShare: 0.25, training, ...names };
      const { runId } = await platform.mutate<{ runId: string }>("loop.start", settings);
      await untilDone(async () => {
        const run = await platform.query<{ status: string; error: unknown }>("loop.get", { runId });
        if (run.status === "failed" || run.status === "cancelled") throw new Error(JSON.stringify(run.error));
        return run.status === "done";
      });
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  const made = await findAdapter(platform);
  if (!made || made.versions.length < 2) throw new Error("The two runs did not make two versions.");
  return made;
}

async function findAdapter(platform: Platform): Promise<{ adapterId: string; versions: BenchVersion[] } | undefined> {
  const adapters = await platform.query<{ id: string; name: string }[]>("deploy.list", null);
  const adapterId = adapters.find(({ name }) => name === benchAdapter)?.id;
  if (adapterId === undefined) return undefined;
  const { versions } = await platform.query<{ versions: BenchVersion[] }>("deploy.get", { adapterId });
  return { adapterId, versions: versions.slice(0, 2) };
}

export async function untilDone(probe: () => Promise<boolean>, timeoutMs = 600_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await probe())) {
    if (Date.now() > deadline) throw new Error("It took too long.");
    await sleep(100);
  }
}

/** @param share 0.5 for the median; of the values as they are, by the nearest rank */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export type Timing = { firstTokenMs: number; totalMs: number; tokens: number };

/** One streamed chat completion; throws unless it ends as it should. */
export async function streamCompletion(
  endpoint: string,
  headers: Record<string, string>,
  request: { model: string; content: string; maxTokens: number },
): Promise<Timing> {
  const startedAt = performance.now();
  const response = await fetch(`${endpoint}/v1/chat/completions`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({
      model: request.model,
      messages: [{ role: "user", content: request.content }],
      max_tokens: request.maxTokens,
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
    }),
  });
  if (!response.ok) throw new Error(`${response.status}: ${(await response.text()).slice(0, 300)}`);
  let text = "";
  let firstTokenMs = 0;
  const decoder = new TextDecoder();
  for await (const part of response.body!) {
    text += decoder.decode(part, { stream: true });
    if (firstTokenMs === 0 && /"content":"[^"]/.test(text)) firstTokenMs = performance.now() - startedAt;
  }
  if (!text.includes("data: [DONE]") || /^data: \{"error"/m.test(text))
    throw new Error(`broken stream: ${text.slice(-300)}`);
  const totalMs = performance.now() - startedAt;
  const tokens = Number(
    /"completion_tokens":(\d+)/.exec(text.slice(text.lastIndexOf('"completion_tokens"')))?.[1] ?? 0,
  );
  return { firstTokenMs: firstTokenMs || totalMs, totalMs, tokens };
}
