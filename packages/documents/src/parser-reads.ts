import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

type Manifest = { dependencies?: Record<string, string>; optionalDependencies?: Record<string, string> };

let known: readonly string[] | null = null;

/**
 * The folders of the parsers' own code: this package and what it depends on. Not `node_modules` as a whole, in which
 * links lead to every workspace, and from there to whatever lies beside its code.
 */
export function listParserReads(): readonly string[] {
  known ??= foldersFrom(fileURLToPath(new URL("../", import.meta.url)));
  return known;
}

function foldersFrom(start: string): string[] {
  const folders = new Set<string>();
  const read = new Set<string>();
  const follow = (folder: string) => {
    const real = realpathSync(folder);
    // Node asks for both: for the link when it resolves a name, for what it leads to when it reads the code.
    folders.add(folder).add(real);
    if (read.has(real)) return;
    read.add(real);
    const manifest = JSON.parse(readFileSync(join(real, "package.json"), "utf8")) as Manifest;
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
      const dependency = findPackage(name, real);
      // Optional ones may be for another platform.
      if (dependency !== null) follow(dependency);
    }
  };
  follow(start);
  return [...folders];
}

/** As Node finds it: in the nearest `node_modules` above. */
function findPackage(name: string, from: string): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return candidate;
    if (folder === dirname(folder)) return null;
  }
}
