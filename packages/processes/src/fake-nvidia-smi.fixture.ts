import { chmod, readFile, rename, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTestFolders } from "./test-folders.fixture.ts";

const program = fileURLToPath(new URL("./fake-nvidia-smi-program.fixture.ts", import.meta.url));
const makeDir = createTestFolders("nvidia-smi");

/** A card of the fake machine; memory in MiB, as nvidia-smi tells it. */
export type FakeGpu = {
  uuid: string;
  name: string;
  totalMib: number;
  usedMib?: number;
  computeCap?: string;
  /** In MIG mode, its slices. */
  slices?: { uuid: string; profile: string }[];
};

export type FakeNvidiaSmi = {
  /** A folder for the front of PATH. */
  dir: string;
  /** The variables of a machine with these cards: PATH finds this nvidia-smi first. */
  env(base?: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
  /** The cards from now on. */
  set(gpus: readonly FakeGpu[]): Promise<void>;
  /** How often it was asked for the memory in use. */
  countQueries(): Promise<number>;
};

/**
 * A program `nvidia-smi` that answers the two questions that are asked of it, from cards that a test changes: a list of
 * fields as CSV, and `-L`. It refuses a field that the real one (driver 550) does not know of, and counts its calls.
 */
export async function installFakeNvidiaSmi(gpus: readonly FakeGpu[]): Promise<FakeNvidiaSmi> {
  const dir = await makeDir();
  const [state, calls] = [join(dir, "state.json"), join(dir, "calls")];
  const set = async (next: readonly FakeGpu[]) => {
    // Whole or not at all: it may be read just now.
    await writeFile(`${state}.new`, JSON.stringify(next));
    await rename(`${state}.new`, state);
  };
  await set(gpus);
  await writeFile(calls, "");
  const file = join(dir, "nvidia-smi");
  await writeFile(file, `#!/bin/sh\nexec "${process.execPath}" "${program}" "${state}" "${calls}" "$@"\n`);
  await chmod(file, 0o755);
  return {
    dir,
    env: (base = process.env) => ({ ...base, PATH: `${dir}${delimiter}${base["PATH"] ?? ""}` }),
    set,
    countQueries: async () => (await readFile(calls, "utf8")).length,
  };
}
