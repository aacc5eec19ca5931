import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { repoDir } from "@anneal/local-stack/environment";

/** Every variable that the stack, the worker and the portal read; a `.env` file beside README.md fills in what is not set. */
export type Env = Readonly<Record<string, string | undefined>>;

export function readEnv(): Env {
  const file = resolve(repoDir, ".env");
  // What the shell sets wins over the file: loadEnvFile leaves existing variables alone.
  if (existsSync(file)) process.loadEnvFile(file);
  return { ...process.env };
}

export function stateDirOf(env: Env): string {
  return resolve(env["ANNEAL_STATE_DIR"] || resolve(repoDir, ".anneal"));
}
