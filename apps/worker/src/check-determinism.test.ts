import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { checkDeterminism, workflowsPath } from "./check-determinism.ts";

let dir: string;
beforeAll(async () => {
  // Where a workflow would be, so that its imports resolve; hidden from the type checker and the formatter.
  dir = await mkdtemp(join(dirname(workflowsPath), ".planted-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function checkPlanted(name: string, code: string): Promise<string> {
  const entry = join(dir, name);
  await writeFile(entry, code);
  return (await checkDeterminism(entry)).problems.join("\n");
}

it("finds nothing wrong with the product's workflows", { timeout: 60_000 }, async () => {
  const { problems, modules } = await checkDeterminism(workflowsPath);
  expect(problems).toEqual([]);
  expect(modules.some((name) => name.endsWith("/workflows/loop.ts"))).toBe(true);
});

it("fails a workflow that reads a file", { timeout: 60_000 }, async () => {
  const code = `import { readFileSync } from "node:fs";
    export async function planted() { return readFileSync("/etc/hostname", "utf8"); }`;
  expect(await checkPlanted("reads.ts", code)).toMatch(/\bfs\b/);
});

it("fails a workflow that imports an activity's code instead of its type", { timeout: 60_000 }, async () => {
  const errorMap = fileURLToPath(new URL("./error-map.ts", import.meta.url));
  const code = `import { isErrorReport } from ${JSON.stringify(errorMap)};
    export async function planted(value: unknown) { return isErrorReport(value); }`;
  expect(await checkPlanted("imports.ts", code)).toContain("error-map.ts is not made for workflows");
});
