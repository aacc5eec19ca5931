import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmod, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { installFakeNvidiaSmi } from "@anneal/processes/fake-nvidia-smi.fixture";
import { createTestFolders } from "@anneal/processes/test-folders.fixture";
import pg from "pg";
import { afterEach, describe, expect, it } from "vitest";
import type { Progress } from "./progress.ts";
import { readRecord } from "./stack-record.ts";
import { type Stack, startStack } from "./stack.ts";

/** Everything but the two services that load a model, which have tests of their own. */
const env = {
  ...process.env,
  ANNEAL_EMBEDDINGS_URL: "http://127.0.0.1:9/v1",
  ANNEAL_INFERENCE_URLS: "http://127.0.0.1:9",
};

const open: Stack[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((stack) => stack.stop()));
});

const makeDir = createTestFolders("stack");

async function makeStateDir(): Promise<string> {
  const dir = await makeDir();
  // As a state folder inside a clone is: PostgreSQL, which does not run as root, can enter it.
  await chmod(dir, 0o755);
  return dir;
}

async function start(stateDir: string, onProgress?: (progress: Progress) => void): Promise<Stack> {
  const stack = await startStack({
    stateDir,
    env,
    withPortal: false,
    ...(onProgress ? { onProgress } : {}),
  });
  open.push(stack);
  return stack;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** The status with which the vector store answers whoever has this environment. */
async function askVectors(env: Readonly<Record<string, string | undefined>>): Promise<number> {
  const key = env["ANNEAL_QDRANT_API_KEY"];
  const response = await fetch(`${env["ANNEAL_QDRANT_URL"]}/collections`, {
    headers: key === undefined ? {} : { "api-key": key },
  });
  return response.status;
}

/** Command lines that name this folder: everything a stack starts does. */
function listProcesses(stateDir: string): string[] {
  return execFileSync("ps", ["-eo", "stat=,args="], { encoding: "utf8" })
    .split("\n")
    .filter((row) => row.includes(stateDir) && !row.startsWith("Z") && !row.includes("main.ts"));
}

/** What was killed takes a moment to be gone. */
async function untilGone(stateDir: string): Promise<void> {
  for (let attempt = 0; attempt < 300 && listProcesses(stateDir).length > 0; attempt += 1) await sleep(100);
  expect(listProcesses(stateDir)).toEqual([]);
}

describe("startStack", () => {
  it("starts, stops without leaving a process, and comes back on the same ports with its state", async () => {
    const stateDir = await makeStateDir();
    const seen: Progress[] = [];
    const first = await start(stateDir, (progress) => seen.push(progress));
    await query(first.databaseOwnerUrl, "create table kept (id int); insert into kept values (7)");
    expect(await query(first.env["ANNEAL_DATABASE_URL"] ?? "", "select id from kept")).toEqual([{ id: 7 }]);
    expect(await askVectors(first.env)).toBe(200);
    expect(
      seen
        .filter(({ state }) => state === "ready")
        .map(({ service }) => service)
        .sort(),
    ).toEqual(["postgres", "temporal", "vectors"]);
    await first.stop();
    await untilGone(stateDir);

    const second = await start(stateDir);
    expect(await query(second.env["ANNEAL_DATABASE_URL"] ?? "", "select id from kept")).toEqual([{ id: 7 }]);
    for (const name of [
      "ANNEAL_DATABASE_URL",
      "ANNEAL_TEMPORAL_ADDRESS",
      "ANNEAL_QDRANT_URL",
      "ANNEAL_ENCRYPTION_KEY",
    ]) {
      expect(second.env[name]).toBe(first.env[name]);
    }
    await second.stop();
  });

  it("starts nothing that is set, and hands its address on", async () => {
    const first = await start(await makeStateDir());
    const names = ["ANNEAL_DATABASE_URL", "ANNEAL_TEMPORAL_ADDRESS", "ANNEAL_QDRANT_URL", "ANNEAL_QDRANT_API_KEY"];
    const set = {
      ...Object.fromEntries(names.flatMap((name) => (first.env[name] ? [[name, first.env[name]]] : []))),
      ANNEAL_ENCRYPTION_KEY_COMMAND: "vault kv get -field=key secret/anneal",
    };
    const stateDir = await makeStateDir();
    const second = await startStack({ stateDir, env: { ...env, ...set }, withPortal: false });
    open.push(second);
    expect(second.services).toEqual([]);
    await untilGone(stateDir);
    expect(second.env).toMatchObject(set);
    expect(second.env).not.toHaveProperty("ANNEAL_ENCRYPTION_KEY");
    await second.stop();
    expect(await askVectors(second.env)).toBe(200);
  });

  it("answers no question about vectors without the key that it hands to the apps", async () => {
    const stack = await start(await makeStateDir());
    expect(await askVectors(stack.env)).toBe(200);
    for (const key of [undefined, "", "another"]) {
      expect(await askVectors({ ...stack.env, ANNEAL_QDRANT_API_KEY: key })).toBe(401);
    }
    const commands = execFileSync("ps", ["-ww", "-eo", "args="], { encoding: "utf8" });
    expect(commands).not.toContain(stack.env["ANNEAL_QDRANT_API_KEY"]);
  });

  it("gives the apps a database role that row-level security binds", async () => {
    const stack = await start(await makeStateDir());
    await query(
      stack.databaseOwnerUrl,
      "create table secret (id int); alter table secret enable row level security; insert into secret values (1)",
    );
    expect(await query(stack.env["ANNEAL_DATABASE_URL"] ?? "", "select id from secret")).toEqual([]);
    await expect(query(stack.env["ANNEAL_DATABASE_URL"] ?? "", "create table mine (id int)")).rejects.toThrow(
      /permission denied/,
    );
  });

  it("refuses a second stack on the same state folder and leaves the first one alone", async () => {
    const stateDir = await makeStateDir();
    const stack = await start(stateDir);
    await expect(start(stateDir)).rejects.toMatchObject({
      code: "ALREADY_RUNNING",
      details: { pid: process.pid },
    });
    expect(await query(stack.databaseOwnerUrl, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("refuses GPUs that the machine does not have before it starts anything", async () => {
    const smi = await installFakeNvidiaSmi([{ uuid: "GPU-a", name: "NVIDIA L4", totalMib: 23_034 }]);
    const stateDir = await makeStateDir();
    const seen: Progress[] = [];
    await expect(
      startStack({ stateDir, env: { ...smi.env(env), ANNEAL_GPUS: "0,7" }, onProgress: (each) => seen.push(each) }),
    ).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("names 7"),
      action: expect.stringContaining("0 (GPU-a)"),
    });
    expect(seen).toEqual([]);
  });

  it("names the taken port of the portal and starts nothing", async () => {
    const stateDir = await makeStateDir();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    const { port } = server.address() as { port: number };
    await expect(startStack({ stateDir, env: { ...env, ANNEAL_PORT: String(port) } })).rejects.toMatchObject({
      code: "PORT_TAKEN",
    });
    await new Promise((resolve) => server.close(resolve));
    await untilGone(stateDir);
    await expect(stat(join(stateDir, "stack.lock"))).rejects.toThrow(/ENOENT/);
  });

  it("stops a stack that is still starting", async () => {
    const stateDir = await makeStateDir();
    const stack = await startStack({
      stateDir,
      env: { ...env, ANNEAL_INFERENCE_URLS: "" },
      withPortal: false,
    });
    await stack.stop();
    await expect(stack.engineReady).rejects.toMatchObject({ code: "CANCELLED" });
    await untilGone(stateDir);
  });

  it("writes no secret into stack.json", async () => {
    const stateDir = await makeStateDir();
    await start(stateDir);
    const text = await readFile(join(stateDir, "stack.json"), "utf8");
    const secrets = Object.values(
      JSON.parse(await readFile(join(stateDir, "secrets.json"), "utf8")) as Record<string, string>,
    );
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  });

  it("restarts a database that was killed", async () => {
    const stateDir = await makeStateDir();
    const stack = await start(stateDir);
    const before = stack.services.find(({ name }) => name === "postgres")?.pid ?? 0;
    process.kill(-before, "SIGKILL");
    const answer = async () => query(stack.databaseOwnerUrl, "select 1 as one").catch(() => undefined);
    for (let attempt = 0; attempt < 200 && !(await answer()); attempt += 1) await sleep(100);
    expect(await answer()).toEqual([{ one: 1 }]);
  });

  it("leaves no process when its own process is killed with -9, and the next start takes over", async () => {
    const stateDir = await makeStateDir();
    const main = join(stateDir, "main.ts");
    await writeFile(
      main,
      `import { startStack } from ${JSON.stringify(new URL("stack.ts", import.meta.url).href)};
       const stack = await startStack({ stateDir: ${JSON.stringify(stateDir)}, env: process.env, withPortal: false });
       console.log("up");`,
    );
    const child = spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "inherit"] });
    await firstOutput(child);
    const pids = (await readRecord(stateDir))?.services.map(({ pid }) => pid) ?? [];
    expect(pids).toHaveLength(3);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
    const stack = await start(stateDir);
    expect(await query(stack.databaseOwnerUrl, "select 1 as one")).toEqual([{ one: 1 }]);
    await stack.stop();
    await untilGone(stateDir);
  });

  it.runIf(process.getuid?.() === 0)(
    "runs as root also where the database's user cannot enter the state folder",
    async () => {
      const stateDir = await makeStateDir();
      await chmod(stateDir, 0o700);
      const stack = await start(stateDir);
      expect(await query(stack.databaseOwnerUrl, "select 1 as one")).toEqual([{ one: 1 }]);
      await stack.stop();
      const { stackId } = JSON.parse(await readFile(join(stateDir, "secrets.json"), "utf8")) as {
        stackId: string;
      };
      await rm(join("/var/lib/anneal", stackId), { recursive: true });
    },
  );
});

function firstOutput(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`It ended with ${code} before it was up.`)));
  });
}
