export const repoDir: string;
export const lockFile: string;
export const convertScript: string;
export const completeStamp: string;
export const baseModelName: string;

export type EnvironmentPaths = {
  /** Shared between clones: `${XDG_CACHE_HOME:-~/.cache}/anneal`. */
  cacheDir: string;
  accelerator: "cpu" | "cuda";
  pythonDir: string;
  /** The interpreter: ANNEAL_PYTHON, or the one of our virtual environment. */
  python: string;
  temporal: string;
  /** The base model, converted; its last path segment is the served name. */
  modelDir: string;
  /** PYTHONPATH of our own Python programs. */
  pythonPath: string;
};

type Variables = Readonly<Record<string, string | undefined>>;
export function isComplete(dir: string): boolean;
export function findOnPath(name: string, env: Variables): string | undefined;
export function locateEnvironment(env: Variables): EnvironmentPaths;
