import { spawn, spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { choosePort } from "@anneal/processes/choose-port";
import { childEnv } from "./child-env.ts";

export type Moto = { endpoint: string; stop(): Promise<void> };

/** @returns the python that carries moto, or null with what to do about it printed */
export function findMotoPython(): string | null {
  const python = process.env.ANNEAL_PYTHON ?? "python3";
  if (spawnSync(python, ["-c", "import moto.server"]).status === 0) return python;
  console.warn(`S3 tests are skipped: ${python} has no moto. Set ANNEAL_PYTHON to a Python with "moto[server]".`);
  return null;
}

/** The S3 of PyPI moto (Apache-2.0): a real HTTP server with paging, signatures and IAM. */
export async function startMoto(python: string): Promise<Moto> {
  const port = await choosePort(undefined);
  const child = spawn(python, ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)], {
    stdio: "ignore",
    env: childEnv({ PATH: process.env.PATH, MOTO_IAM_LOAD_MANAGED_POLICIES: "false" }),
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const endpoint = `http://127.0.0.1:${port}`;
  const stop = async () => {
    child.kill();
    await ended;
  };
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`moto ended with ${child.exitCode}`);
    const answer = await fetch(`${endpoint}/moto-api/data.json`).catch(() => null);
    if (answer?.ok) return { endpoint, stop };
    await sleep(100);
  }
  await stop();
  throw new Error("moto did not answer within 30 s");
}
