// Where the Python environment and the base model lie. Plain JavaScript because the installer, which runs on Node 20
// before anything is installed, and the stack both compute these paths: one file, so that they cannot disagree.
// Types for TypeScript are in environment.d.mts.
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const repoDir = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
export const lockFile = join(repoDir, "infra/python/requirements.lock");
export const convertScript = join(repoDir, "infra/python/convert_base_model.py");

/** The file whose presence says that a folder was built to its end. */
export const completeStamp = ".complete";
export const baseModelName = "SmolLM2-135M-Instruct";

export function isComplete(dir) {
  return existsSync(join(dir, completeStamp));
}

/** @returns the first executable of that name on PATH, or undefined */
export function findOnPath(name, env) {
  for (const dir of (env.PATH ?? "").split(delimiter)) {
    if (!dir) continue;
    const file = join(dir, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not here; try the next folder.
    }
  }
  return undefined;
}

/** @param {NodeJS.ProcessEnv} env */
export function locateEnvironment(env) {
  const cacheDir = join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "anneal");
  const lock = readFileSync(lockFile);
  const accelerator = env.ANNEAL_GPUS !== "none" && findOnPath("nvidia-smi", env) ? "cuda" : "cpu";
  const hash = digest(lock, accelerator, process.arch);
  const pythonDir = env.ANNEAL_PYTHON ? dirname(dirname(env.ANNEAL_PYTHON)) : join(cacheDir, `python-${hash}`);
  const modelDir = join(cacheDir, "models", digest(lock, readFileSync(convertScript)), baseModelName);
  return {
    cacheDir,
    accelerator,
    pythonDir,
    python: env.ANNEAL_PYTHON || join(pythonDir, "bin/python"),
    temporal: join(pythonDir, "bin/temporal"),
    modelDir,
    // Our own Python programs are not installed, so that editing them needs no second installation.
    pythonPath: [join(repoDir, "apps/trainer/src"), join(repoDir, "apps/sidecars/src")].join(delimiter),
  };
}

function digest(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 12);
}
