import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTestFolders } from "@anneal/processes/test-folders.fixture";

const program = fileURLToPath(new URL("./fake-trainer-program.fixture.ts", import.meta.url));
const makeDir = createTestFolders("fake-trainer");

export type FakeTrainer = {
  /** Takes the place of a Python that has the trainer. */
  python: string;
  /** Of each start, in order: what it may compute on, and how much of it. */
  starts(): Promise<{ devices: string | null; gpuMemoryBytes: number | null }[]>;
  /** Whatever trains, and what is started from now on, ends with a result. */
  finish(): Promise<void>;
};

/** A program that speaks the trainer's protocol and computes nothing: it steps until it is stopped or may finish. */
export async function installFakeTrainer(): Promise<FakeTrainer> {
  const dir = await makeDir();
  const python = join(dir, "python");
  const log = join(dir, "starts.ndjson");
  await writeFile(log, "");
  await writeFile(python, `#!/bin/sh\nexec "${process.execPath}" "${program}" "${dir}" "$@"\n`);
  await chmod(python, 0o755);
  return {
    python,
    starts: async () =>
      (await readFile(log, "utf8"))
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as { devices: string | null; gpuMemoryBytes: number | null }),
    finish: () => writeFile(join(dir, "finish"), ""),
  };
}
