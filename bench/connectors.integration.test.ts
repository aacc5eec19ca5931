import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it, type TestContext } from "vitest";

const run = promisify(execFile);
const count = 100_000;
/** Not how long it takes, but when to give it up, beside whatever else keeps the processors busy. */
const limitMs = 30 * 60_000;

const once = ["--without-contents", "--once"] as const;
const twice = ["--without-contents"] as const;

// The kit's promise at full size. All but the first open no document, as what grows with them is in the pages.
it.for([
  ["postgres", []],
  ["file", twice],
  ["smb-plain", twice],
  ["s3", twice],
  ["gdrive", twice],
  ["slack-days", twice],
  ["jira", twice],
  ["mysql", twice],
  ["mssql", twice],
  ["mongodb", twice],
  ["rest", twice],
  ["graphql", twice],
] as const)("reads 100,000 documents of %s within bounded memory, and none again", { timeout: limitMs }, readAll);

// These take ten minutes and more of two cores together: asked for by ANNEAL_TEST_EVERY_KIND=1.
describe.skipIf(process.env["ANNEAL_TEST_EVERY_KIND"] === undefined)("of kinds that take longer", () => {
  it.for([
    ["sftp", twice],
    ["azure-blob", twice],
    ["gcs", twice],
    ["teams", twice],
    ["confluence", twice],
    ["imap", twice],
    // Each file is a request, to be told who may read it, and a second run makes them all again: once.
    ["sharepoint", once],
    ["onedrive", once],
  ] as const)("reads 100,000 documents of %s within bounded memory", { timeout: limitMs }, readAll);

  // A page is three times the work of a file's permissions: most of them are not read here, but held as if they had been.
  it.for([
    ["notion-resumed", twice],
    ["web-resumed", once],
  ] as const)(
    "goes on with 100,000 pages of %s, of which a made-up earlier run has read 95,000, within bounded memory",
    { timeout: limitMs },
    readAll,
  );
});

async function readAll(
  [kind, options]: readonly [string, readonly string[]],
  { signal, skip }: TestContext,
): Promise<void> {
  const args = ["connectors.ts", "--kinds", kind, "--count", String(count), ...options];
  // It ends with 1 where a figure is not reached; speed is none of a test's business.
  const { stdout } = await run(process.execPath, args, { cwd: import.meta.dirname, signal }).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? "" }),
  );
  const said = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<string, unknown> & { unmet: string[] };
  if (typeof said[kind] === "string") return skip(said[kind]);
  expect(said.unmet.filter((each) => !each.includes("documents/s"))).toEqual([]);
  expect(said[kind]).toMatchObject({ documents: count, peakMiB: expect.toSatisfy((peak: number) => peak <= 300) });
}
