import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { testContext } from "../../conformance/test-context.ts";
import { openFileCalls } from "./file-calls.ts";
import { walkFolder } from "./walk.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "anneal-walk-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

it("walks a folder in the order of names, its files before what lies deeper", async () => {
  const numbered = Array.from({ length: 300 }, (_, index) => `many/${String((index * 7) % 300).padStart(3, "0")}.md`);
  const files = ["b.md", "a.md", "z/1.md", "c/deep/2.md", "c/1.md", ...numbered];
  for (const file of files) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), file);
  }
  const walked: string[] = [];
  const calls = await openFileCalls(root, testContext());
  for await (const entry of walkFolder({ path: root, closed: [] }, { include: [], exclude: [] }, calls))
    walked.push(entry.ref);
  expect(walked).toEqual(["a.md", "b.md", "c/1.md", "c/deep/2.md", ...numbered.toSorted(), "z/1.md"]);
});
