import { readFile } from "node:fs/promises";
import { expect } from "vitest";

/**
 * That a process sees none of this one's environment, may write nothing and start nothing, and may read the code of these
 * packages and what they depend on alone.
 */
export async function expectConfined(pid: number, packages: readonly string[]): Promise<void> {
  const stringsOf = async (name: string) => (await readFile(`/proc/${pid}/${name}`, "utf8")).split("\0");
  const environment = (await stringsOf("environ")).filter((entry) => entry !== "");
  expect(environment.filter((entry) => !entry.startsWith("NODE_CHANNEL_"))).toEqual([]);
  const command = await stringsOf("cmdline");
  expect(command).toContain("--permission");
  const allowed = command.filter((argument) => argument.startsWith("--allow"));
  expect(allowed.length).toBeGreaterThan(2);
  const own = new RegExp(
    String.raw`^--allow-fs-read=/.*/(?:packages/(?:${packages.join("|")})|node_modules/.+)(?:/|$)`,
    "u",
  );
  for (const argument of allowed) expect(argument).toMatch(own);
}
