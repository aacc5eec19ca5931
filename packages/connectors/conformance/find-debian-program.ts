import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { childEnv } from "./child-env.ts";

/** `root` is "" for what the system has installed. `env` lets a program of that tree find its libraries. */
export type DebianProgram = { path: string; root: string; env: Record<string, string> };

/**
 * A server program of a Debian package: the installed one, else one that is fetched with its libraries into the user's
 * cache, for which nobody has to be root.
 *
 * @param program such as "usr/sbin/sshd"
 * @param also packages that the program needs for these tests and does not depend on
 * @returns null where there is none to be had, after printing why
 */
export function findDebianProgram(
  packageName: string,
  program: string,
  also: readonly string[] = [],
): DebianProgram | null {
  if (existsSync(`/${program}`) && also.every(isInstalled)) return { path: `/${program}`, root: "", env: {} };
  const root = fetchPackage(packageName, also);
  if (root === null) return null;
  const path = join(root, program);
  if (existsSync(path)) return { path, root, env: { LD_LIBRARY_PATH: librariesOf(root).join(":") } };
  return skip(packageName, `the package has no ${program}`);
}

function isInstalled(packageName: string): boolean {
  const { stdout } = spawnSync("dpkg-query", ["-W", "-f=${Status}", packageName], { encoding: "utf8" });
  return stdout === "install ok installed";
}

function fetchPackage(packageName: string, also: readonly string[]): string | null {
  const base = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "anneal", "debian");
  mkdirSync(base, { recursive: true });
  let options: string[] = [];
  let plan = planInstall([packageName, ...also], options);
  if (plan === null) {
    options = ownLists(base);
    if (apt(["update", ...options]) === null) return skip(packageName, "apt-get cannot reach a package list");
    plan = planInstall([packageName, ...also], options);
  }
  if (plan === null) return skip(packageName, "apt-get does not know the package");
  const version = plan.get(packageName);
  if (version === undefined) {
    const lacks = also.length === 0 ? "its program" : `its program or ${also.join(", ")}`;
    return skip(packageName, `it counts as installed, but lacks ${lacks}`);
  }
  const root = join(base, `${[packageName, ...also].join("+")}_${version.replaceAll(/[^\w.+~-]/g, "_")}`);
  if (existsSync(root)) return root;
  // Made whole under another name first: a fetch that was cut short is no tree.
  const partial = `${root}.${process.pid}`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(join(partial, "packages"), { recursive: true });
  const wanted = [...plan].map(([name, of]) => `${name}=${of}`);
  if (apt(["download", ...options, ...wanted], join(partial, "packages")) === null) {
    rmSync(partial, { recursive: true, force: true });
    return skip(packageName, "apt-get cannot download it");
  }
  for (const file of readdirSync(join(partial, "packages"))) {
    spawnSync("dpkg-deb", ["-x", join(partial, "packages", file), partial]);
  }
  rmSync(join(partial, "packages"), { recursive: true });
  if (!existsSync(root)) renameSync(partial, root);
  rmSync(partial, { recursive: true, force: true });
  return root;
}

/** What an installation would bring that is not there, with versions: the package and the libraries that it lacks. */
function planInstall(packages: string[], options: string[]): Map<string, string> | null {
  const text = apt(["install", "--simulate", "--no-install-recommends", ...options, ...packages]);
  if (text === null) return null;
  return new Map([...text.matchAll(/^Inst (\S+) (?:\[\S+\] )?\((\S+)/gm)].map(([, name, of]) => [name!, of!]));
}

/** Lists of its own, for whoever may not renew the system's. */
function ownLists(base: string): string[] {
  for (const folder of ["lists/partial", "archives/partial"]) {
    mkdirSync(join(base, "apt", folder), { recursive: true });
  }
  return [
    "-o",
    `Dir::State::lists=${join(base, "apt/lists")}`,
    "-o",
    `Dir::Cache=${join(base, "apt")}`,
    "-o",
    "APT::Sandbox::User=",
  ];
}

function apt(args: string[], cwd?: string): string | null {
  const { status, stdout } = spawnSync("apt-get", ["-q", ...args], {
    encoding: "utf8",
    ...(cwd === undefined ? {} : { cwd }),
    env: childEnv({ PATH: `${process.env.PATH}:/usr/sbin:/sbin`, LC_ALL: "C", HOME: homedir() }),
    timeout: 300_000,
  });
  return status === 0 ? stdout : null;
}

function librariesOf(root: string): string[] {
  const base = join(root, "usr/lib");
  const triplets = (existsSync(base) ? readdirSync(base) : []).filter((name) => name.includes("-linux-"));
  const folders = triplets.flatMap((name) => [join(base, name), join(base, name, "samba")]);
  return folders.filter((folder) => existsSync(folder));
}

function skip(packageName: string, reason: string): null {
  console.warn(`Tests with Debian's ${packageName} are skipped: ${reason}. Install it to run them.`);
  return null;
}
