import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** @returns a folder in `dir` with the migrations that were there before the one of this name */
export async function migrationsBefore(name: string, dir: string): Promise<string> {
  const folder = join(dir, `migrations-before-${name}`);
  await cp(fileURLToPath(new URL("../migrations", import.meta.url)), folder, { recursive: true });
  const path = join(folder, "meta/_journal.json");
  const journal = JSON.parse(await readFile(path, "utf8")) as { entries: { tag: string }[] };
  const at = journal.entries.findIndex(({ tag }) => tag === name);
  if (at < 1) throw new Error(`There is no migration ${name} with others before it.`);
  await writeFile(path, JSON.stringify({ ...journal, entries: journal.entries.slice(0, at) }));
  return folder;
}
