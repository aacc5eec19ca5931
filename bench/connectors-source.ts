import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { EarlierRun } from "./connectors-earlier.ts";

/** A server with documents in it, and what a connector of its kind has to be told to read them. */
export type BenchSource = {
  kind: string;
  config: Record<string, unknown>;
  secrets: Record<string, unknown>;
  /** Where it goes on from; left out: it begins. */
  earlier?: EarlierRun;
  stop(): Promise<void>;
};

/** What can be measured: documents by default, and how to have a source with so many; null where its server is missing. */
export type SourceRecipe = {
  /** What answers, as it is printed. */
  server: string;
  count: number;
  start(count: number): Promise<BenchSource | null>;
};

/** A source in a process of its own. `told`: what its reader has to know, as JSON. Null where its server is missing. */
export async function startSource(
  name: string,
  count: number,
  env: NodeJS.ProcessEnv,
): Promise<{ told: string; stop(): Promise<void> } | null> {
  const server = spawn(process.execPath, [join(import.meta.dirname, "connectors-server.ts"), name, String(count)], {
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(server, "exit");
  const stop = async () => {
    server.stdin.end();
    await ended;
  };
  // Others may print before it.
  for await (const line of createInterface({ input: server.stdout })) {
    if (line === "null") return null;
    if (line.startsWith("{")) return { told: line, stop };
  }
  throw new Error(`The source ${name} did not start.`);
}
