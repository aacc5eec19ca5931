import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);
const count = 100_000;

// The kit's promise for what is too slow to ask of every server: a listing, a table and a feed at full size. Of the listing's
// and the feed's documents none is opened, as what grows with them is in the pages. With their contents, and a folder, they
// take minutes beside other work: by hand.
it.for([
  ["s3", ["--without-contents"]],
  ["postgres", []],
  ["gdrive", ["--without-contents"]],
] as const)(
  "reads 100,000 documents of %s within bounded memory, and none again",
  { timeout: 600_000 },
  async ([kind, options], { signal }) => {
    const args = ["connectors.ts", "--kinds", kind, "--count", String(count), ...options];
    // It ends with 1 where a figure is not reached; speed is none of a test's business.
    const { stdout } = await run(process.execPath, args, { cwd: import.meta.dirname, signal }).catch(
      (error: { stdout?: string }) => ({ stdout: error.stdout ?? "" }),
    );
    const said = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<string, unknown> & { unmet: string[] };
    expect(said.unmet.filter((each) => !each.includes("documents/s"))).toEqual([]);
    expect(said[kind]).toMatchObject({ documents: count, peakMiB: expect.toSatisfy((peak: number) => peak <= 300) });
  },
);
