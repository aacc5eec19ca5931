import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

type Manifest = { dependencies?: Record<string, string>; optionalDependencies?: Record<string, string> };

/**
 * The folders of a program's own code: its package and what that depends on. Not `node_modules` as a whole, in which
 * links lead to every workspace, and from there to whatever lies beside its code.
 *
 * @param home the package's folder
 * @param needed those of the package's dependencies that the program uses; left out: all
 */
export function listPackageFolders(home: URL, needed?: readonly string[]): readonly string[] {
  const folders = new Set<string>();
  const read = new Set<string>();
  const follow = (folder: string, names?: readonly string[]) => {
    const real = realpathSync(folder);
    // Node asks for both: for the link when it resolves a name, for what it leads to when it reads the code.
    folders.add(folder).add(real);
    if (read.has(real)) return;
    read.add(real);
    for (const name of names ?? dependenciesOf(real)) {
      const dependency = findPackage(name, real);
      // Optional ones may be for another platform.
      if (dependency !== null) follow(dependency);
    }
  };
  follow(fileURLToPath(home), needed);
  return [...folders];
}

function dependenciesOf(folder: string): string[] {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  return Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
}

/** As Node finds it: in the nearest `node_modules` above. */
function findPackage(name: string, from: string): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return candidate;
    if (folder === dirname(folder)) return null;
  }
}
