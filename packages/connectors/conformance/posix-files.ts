import { chmod, chown, mkdir, mkdtemp, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { SourceNames } from "./describe-names.ts";
import type { Who } from "./describe-permissions.ts";
import { createFileClock, type FileClock } from "./file-clock.ts";
import { longPath } from "./long-names.ts";

/** Real files whose owners and rights say who may read them, and the lists of accounts that go with them. */
export type PosixFiles = {
  root: string;
  passwdPath: string;
  groupPath: string;
  put(name: string, text: string): Promise<void>;
  remove(name: string): Promise<void>;
  move(from: string, to: string): Promise<void>;
  moveFolder(from: string, to: string): Promise<void>;
  breakItem(name: string): Promise<() => Promise<void>>;
  vanish(): Promise<() => Promise<void>>;
  setClock: FileClock["setClock"];
  names: SourceNames;
  setGroup(group: string, members: readonly string[]): Promise<void>;
  share(name: string, allow: readonly Who[], deny?: readonly Who[]): Promise<void>;
  shareFolder(folder: string, allow: readonly Who[]): Promise<void>;
  refuseUntold(name: string): Promise<void>;
  breakPermissions: { none: string };
  close(): Promise<void>;
};

export const emailDomain = "example.com";
const uids: Record<string, number> = { ann: 2001, bob: 2002, eve: 2003 };
const firstGid = 3001;
/** As one of a network directory, which no list here has. */
const untoldGid = 5000;

/** Giving files away needs root. */
export function mayGiveAway(): boolean {
  if (process.getuid?.() === 0) return true;
  console.warn("Tests of POSIX owners are skipped: only root can give files to other users.");
  return false;
}

/** PATH_MAX of Linux, less the byte that ends a path. */
const longestPathBytes = 4095;

/** What a file system of Linux takes as a name below a folder: any byte but the slash, as long as a path may be. */
export function namesBelow(root: string, pathBytes = longestPathBytes): SourceNames {
  const bytes = pathBytes - Buffer.byteLength(`${root}/`);
  return { controls: "\t\n\u0001\u007f", longest: [longPath(bytes), longPath(bytes, "mixed")] };
}

/** @param parent where the folder for one test is made */
export async function createPosixFiles(parent = tmpdir()): Promise<PosixFiles> {
  const base = await mkdtemp(join(parent, "anneal-posix-"));
  await chmod(base, 0o755);
  const root = join(base, "documents");
  await mkdir(root);
  const passwdPath = join(base, "passwd");
  const groupPath = join(base, "group");
  const people = Object.entries(uids);
  const passwd = people.map(([name, uid]) => `${name}:x:${uid}:${uid}::/home/${name}:/bin/sh`);
  await writeFile(passwdPath, ["root:x:0:0:root:/root:/bin/sh", ...passwd, ""].join("\n"));
  const groups = new Map<string, readonly string[]>();
  const writeGroups = async () => {
    const lines = [...groups].map(([name, members], index) => `${name}:x:${firstGid + index}:${members.join(",")}`);
    await writeFile(groupPath, ["root:x:0:", ...lines, ""].join("\n"));
  };
  await writeGroups();

  const clock = createFileClock();
  const at = (name: string) => join(root, name);
  const gidOf = (group: string) => firstGid + [...groups.keys()].indexOf(group);
  const setGroup = async (group: string, members: readonly string[]) => {
    groups.set(group, members);
    await writeGroups();
  };
  const put = async (name: string, text: string) => {
    await mkdir(dirname(at(name)), { recursive: true });
    await writeFile(at(name), text);
    await clock.stamp(at(name));
  };

  /** @param bits what whoever is admitted gets: 4 on a file, 5 on a folder */
  const grant = async (path: string, allow: readonly Who[], deny: readonly Who[], bits: number) => {
    const users = allow.flatMap((who) => (who !== "anyone" && "user" in who ? [who.user] : []));
    let [group] = allow.flatMap((who) => (who !== "anyone" && "group" in who ? [who.group] : []));
    const [denied] = deny.flatMap((who) => (who !== "anyone" && "user" in who ? [who.user] : []));
    if (users.length > 1) {
      group = `shared-${users.join("-")}`;
      await setGroup(group, users);
    }
    const owner = denied ?? (users.length === 1 ? users[0] : undefined);
    await chown(path, owner === undefined ? 0 : uids[owner]!, group === undefined ? 0 : gidOf(group));
    const ownerBits = denied === undefined ? bits << 6 : 0;
    await chmod(path, allow.includes("anyone") ? bits * 0o111 : ownerBits | (group === undefined ? 0 : bits << 3));
  };

  const move = async (from: string, to: string) => {
    await mkdir(dirname(at(to)), { recursive: true });
    await rename(at(from), at(to));
  };

  return {
    root,
    passwdPath,
    groupPath,
    put,
    remove: (name) => rm(at(name)),
    move,
    moveFolder: move,
    async breakItem(name) {
      // An account that may read everything is stopped by no right; a sparse giant stops it.
      const text = await readFile(at(name), "utf8");
      await truncate(at(name), 2 * 1024 ** 3);
      return () => put(name, text);
    },
    async vanish() {
      await rename(root, `${root}-away`);
      return () => rename(`${root}-away`, root);
    },
    setClock: clock.setClock,
    names: namesBelow(root),
    setGroup,
    share: (name, allow, deny = []) => grant(at(name), allow, deny, 4),
    async shareFolder(folder, allow) {
      await mkdir(at(folder), { recursive: true });
      await grant(at(folder), allow, [], 5);
    },
    breakPermissions: { none: "Whoever may list a folder is told the modes and access lists of what lies in it." },
    async refuseUntold(name) {
      await chown(at(name), 0, untoldGid);
      await chmod(at(name), 0o604);
    },
    close: () => rm(base, { recursive: true, force: true }),
  };
}
