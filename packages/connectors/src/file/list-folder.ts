import type { Dir, Dirent } from "node:fs";
import { opendir, readdir, statfs } from "node:fs/promises";
import type { FileCalls } from "./file-calls.ts";
import { placeOf } from "./file-systems.ts";

/** `isFolder` is null where only the entry itself tells. */
export type Listed = { name: string; isFolder: boolean | null };

/** So many names are sorted at once, which bounds the memory that a folder of millions takes. */
const sortedNames = 10_000;

const entriesAtOnce = 256;

/**
 * The names in a folder, mostly in their order. A local one is read part by part. A mount's may not say of a name what it
 * is, and then Node's own reader asks for it in its main thread: a server that answers slowly makes the whole worker wait
 * for each name, and one that is gone ends it. So there the names are read alone, and all at once.
 */
export async function* listFolder(path: string, calls: FileCalls): AsyncIterable<Listed> {
  const { type } = await calls.call(path, () => statfs(path));
  if (placeOf(type) === "local") {
    for await (const entry of inOrder(inParts(path, calls))) yield { name: entry.name, isFolder: entry.isDirectory() };
  } else {
    for (const name of (await calls.call(path, () => readdir(path))).sort()) yield { name, isFolder: null };
  }
}

async function* inParts(path: string, calls: FileCalls): AsyncIterable<Dirent> {
  const folder: Dir = await calls.open(path, () => opendir(path, { bufferSize: entriesAtOnce }));
  try {
    for (let isLast = false; !isLast;) {
      const entries = await calls.call(path, () => readSome(folder));
      isLast = entries.length < entriesAtOnce;
      yield* entries;
    }
  } finally {
    await calls.close(path, folder);
  }
}

/** @returns fewer than at once at the end of the folder */
async function readSome(folder: Dir): Promise<Dirent[]> {
  const entries: Dirent[] = [];
  while (entries.length < entriesAtOnce) {
    const entry = await folder.read();
    if (entry === null) break;
    entries.push(entry);
  }
  return entries;
}

async function* inOrder(entries: AsyncIterable<Dirent>): AsyncIterable<Dirent> {
  let some: Dirent[] = [];
  const sorted = () => some.sort((left, right) => (left.name < right.name ? -1 : 1));
  for await (const entry of entries) {
    some.push(entry);
    if (some.length < sortedNames) continue;
    yield* sorted();
    some = [];
  }
  yield* sorted();
}
