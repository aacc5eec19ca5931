import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expectNoOrphan } from "@anneal/processes/orphan.fixture";
import { createTestFolders } from "@anneal/processes/test-folders.fixture";
import { expect, it } from "vitest";
import { createMainContentExtractor } from "./main-content.ts";

const makeDir = createTestFolders("main-content");

it("leaves no extractor behind when the worker is killed in the middle of a page", async () => {
  const python = join(await makeDir(), "python");
  await writeFile(python, "#!/bin/sh\nexec sleep 600\n", { mode: 0o755 });
  await expectNoOrphan(
    `const { createMainContentExtractor } = await import(${JSON.stringify(new URL("./main-content.ts", import.meta.url))});
     const extractor = createMainContentExtractor({ python: ${JSON.stringify(python)} });
     await extractor.extract({ html: "", url: "" }, new AbortController().signal);`,
    "sleep 600",
  );
});

it("finds nothing where there is no such Python", async () => {
  const extractor = createMainContentExtractor({ python: "/nowhere/python", pythonPath: undefined });
  const page = { html: "<p>Text.</p>", url: "https://example.org" };
  expect(await extractor.extract(page, new AbortController().signal)).toBeNull();
});
