import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, type TestContext } from "vitest";

const run = promisify(execFile);
const count = 100_000;

/** Not how long it takes, but when to give it up, beside whatever else keeps the processors busy. */
export const limitMs = 30 * 60_000;
/** Opens no document, as what grows with their number is in the pages. */
export const twice = ["--without-contents"] as const;
/**
 * Where each document is a request of its own, and a second run makes them all again; and where another kind's second run
 * goes through the same code: a share's through that of a folder, a container's through that of a bucket, a database's
 * through that of another one.
 */
export const once = ["--without-contents", "--once"] as const;

/** The kit's promise at full size, for a test: the source is read to its end within bounded memory. */
export async function expectAllRead(
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
