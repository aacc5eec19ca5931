import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Cursor, JournalEntry } from "@anneal/core/connect/change";

/**
 * What a run that was ended in the middle has left; its journal, and what it has read, in a file in a folder of its own. It
 * is made up: so can be measured how a run goes on without doing first what the one before it did.
 */
export type EarlierRun = { cursor: Cursor; documents: number; file: string };

/** Of that file, as JSON: entries of the journal, and the document that is held by them. */
export type EarlierLine = { ref: string; fingerprint: string; entries: JournalEntry[] } | { entries: JournalEntry[] };

export async function writeEarlierRun(cursor: Cursor, lines: Iterable<EarlierLine>): Promise<EarlierRun> {
  const file = join(await mkdtemp(join(tmpdir(), "anneal-bench-earlier-")), "left");
  let documents = 0;
  function* texts(): Iterable<string> {
    for (const line of lines) {
      if ("ref" in line) documents += 1;
      yield `${JSON.stringify(line)}\n`;
    }
  }
  await writeFile(file, texts());
  return { cursor, documents, file };
}

export async function removeEarlierRun({ file }: EarlierRun): Promise<void> {
  await rm(dirname(file), { recursive: true, force: true });
}
