import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/**
 * Makes temporary folders that are gone once all tests of a file have ended. Called where modules are loaded: what is
 * registered first is done last, after whatever writes there has been stopped.
 */
export function createTestFolders(name: string): () => Promise<string> {
  const made: string[] = [];
  afterAll(async () => {
    for (const dir of made) await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });
  return async () => {
    const dir = await mkdtemp(join(tmpdir(), `anneal-${name}-`));
    made.push(dir);
    return dir;
  };
}
