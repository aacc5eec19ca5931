import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { locateEnvironment } from "../infra/local/src/environment.mjs";

const script = fileURLToPath(new URL("anneal.mjs", import.meta.url));
let home: string;
let env: NodeJS.ProcessEnv;

/** As while another process, which is this one, installs Python into a cache that has nothing yet. */
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "anneal-home-"));
  const { ANNEAL_PYTHON: _, ...others } = process.env;
  env = { ...others, XDG_CACHE_HOME: home };
  const { cacheDir, pythonDir } = locateEnvironment(env);
  await mkdir(cacheDir, { recursive: true });
  const stat = await readFile("/proc/self/stat", "utf8");
  const startTicks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  await writeFile(`${pythonDir}.lock`, JSON.stringify({ pid: process.pid, startTicks }));
});
afterEach(() => rm(home, { recursive: true, force: true }));

/** Ends it as soon as it says that it waits, which it would do for ever. */
async function run(...args: string[]): Promise<{ code: number | null; output: string; said: string }> {
  const child: ChildProcess = spawn(process.execPath, [script, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let [output, said] = ["", ""];
  child.stdout!.on("data", (part: Buffer) => (output += part.toString()));
  child.stderr!.on("data", (part: Buffer) => {
    said += part.toString();
    if (/waiting for/i.test(said)) child.kill();
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output, said };
}

it.each([["--help"], ["connect", "--help"], ["connect", "sync", "-h"], ["help", "connect"]])(
  "prints help at once while the platform is being installed: %s",
  async (...args) => {
    const { code, output, said } = await run(...args);
    expect({ code, said }).toEqual({ code: 0, said: "" });
    expect(output).toContain("Usage: anneal");
  },
);

it("asks a portal without anything that only a stack needs", async () => {
  const { code, said } = await run("connect", "list", "--portal", "http://127.0.0.1:1", "--api-key", "k");
  expect(code).toBe(1);
  expect(said).toContain("The portal at http://127.0.0.1:1 does not answer.");
});

it("says what is waited for, and where one sees how far it is", async () => {
  const { said } = await run("loop");
  expect(said).toMatch(
    new RegExp(
      `^Waiting for the Python environment, which process ${process.pid} \\(.*vitest.*\\) installs; how far it is stands in the terminal where that was started\\.\\n`,
    ),
  );
});
