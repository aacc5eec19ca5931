import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { choosePort } from "@anneal/processes/choose-port";

export type Azurite = {
  accountUrl: string;
  accountName: string;
  accountKey: string;
  /** Ends the server; the blobs stay. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
};

const accountName = "testaccount";
const accountKey = Buffer.from("a key that only this test knows").toString("base64");

/** Its version check is left out because the SDK may be newer than the emulator. */
const quietly = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"];

/** Microsoft's own emulator of Blob storage (npm azurite, MIT): paging, tiers, shared keys and SAS tokens are checked. */
export async function startAzurite(): Promise<Azurite> {
  const dir = await mkdtemp(join(tmpdir(), "anneal-azurite-"));
  const port = await choosePort(undefined);
  const program = createRequire(import.meta.url).resolve("azurite/dist/src/blob/main.js");
  const accountUrl = `http://127.0.0.1:${port}/${accountName}`;
  let server: ChildProcess | null = null;

  async function resume(): Promise<void> {
    const child = spawn(
      process.execPath,
      [program, "--blobHost", "127.0.0.1", "--blobPort", String(port), "--location", dir, ...quietly],
      { cwd: dir, stdio: "ignore", env: { PATH: process.env.PATH, AZURITE_ACCOUNTS: `${accountName}:${accountKey}` } },
    );
    server = child;
    for (let attempt = 0; attempt < 300 && child.exitCode === null; attempt += 1) {
      // Any answer will do: without a signature it is a refusal.
      if (await fetch(`${accountUrl}?comp=list`).catch(() => null)) return;
      await sleep(100);
    }
    await pause();
    throw new Error("azurite did not answer within 30 s");
  }

  async function pause(): Promise<void> {
    const child = server;
    server = null;
    if (child === null || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill();
    await ended;
  }

  try {
    await resume();
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
  return {
    accountUrl,
    accountName,
    accountKey,
    pause,
    resume,
    async stop() {
      await pause();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
