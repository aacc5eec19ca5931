import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTestFolders } from "@anneal/processes/test-folders.fixture";

const program = fileURLToPath(new URL("./fake-vllm-program.fixture.ts", import.meta.url));
const makeDir = createTestFolders("fake-vllm");

export type FakeVllm = {
  /** Takes the place of a Python that has vLLM: it notes what it was started with, and answers /health. */
  python: string;
  /** Of each start, in order: arguments, and the variables that say what it may compute on. */
  starts(): Promise<{ args: string[]; devices: string | null }[]>;
};

/** A program in the place of vLLM's, for what is not vLLM's own: how it is started, and when. */
export async function installFakeVllm(): Promise<FakeVllm> {
  const dir = await makeDir();
  const [python, log] = [join(dir, "python"), join(dir, "starts.ndjson")];
  await writeFile(log, "");
  await writeFile(python, `#!/bin/sh\nexec "${process.execPath}" "${program}" "${log}" "$@"\n`);
  await chmod(python, 0o755);
  return {
    python,
    starts: async () =>
      (await readFile(log, "utf8"))
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as { args: string[]; devices: string | null }),
  };
}
