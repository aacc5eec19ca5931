import { readFile, realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { nobody } from "@anneal/core/access/acl";
import type { SourceAcl } from "@anneal/core/access/acl-origins";
import { readAccounts, type PosixAccounts } from "../posix/accounts.ts";
import {
  both,
  everybody,
  noAudience,
  passThrough,
  posixPrincipals,
  readBit,
  readersOf,
  traverseBit,
  type Audience,
  type PosixPrincipals,
} from "../posix/audience.ts";
import type { PosixPermissionsConfig } from "../posix/config.ts";
import { aclAccess, pathsAtOnce, readFileAcls } from "../posix/getfacl.ts";
import { keepToldDenials } from "../posix/told-denials.ts";
import type { FileCalls } from "./file-calls.ts";
import { toFileError } from "./file-errors.ts";
import type { ListSight } from "./list-sight.ts";
import type { WalkEntry } from "./walk.ts";

export type FileEntry = Extract<WalkEntry, { type: "file" }>;
export type EntryWithAcl = (FileEntry & { acl: SourceAcl | null }) | Exclude<WalkEntry, FileEntry>;

/** One set of accounts for each machine that runs a worker. */
export const filePrincipals: PosixPrincipals = posixPrincipals("file", "localhost");

/**
 * The entries of a walk, each file with who may read it; a batch at a time, because lists are read by a program.
 * @throws AnnealError that names the list of accounts or of groups which cannot be read
 */
export async function* withAcls(
  walk: AsyncIterable<WalkEntry>,
  config: PosixPermissionsConfig,
  calls: FileCalls,
  sight: ListSight,
): AsyncIterable<EntryWithAcl> {
  if (config.permissions === "off") {
    for await (const entry of walk) yield entry.type === "file" ? { ...entry, acl: null } : entry;
    return;
  }
  const keepTold = keepToldDenials(await readLocalAccounts(config, calls), filePrincipals);
  const folders = new Map<string, Audience>();
  let batch: FileEntry[] = [];
  const flush = async function* (): AsyncIterable<EntryWithAcl> {
    const files = batch;
    batch = [];
    const acls = await aclsOf(files, folders, calls, sight);
    for (const entry of files) yield { ...entry, acl: keepTold(acls.get(entry.path) ?? nobody) };
  };
  for await (const entry of walk) {
    if (entry.type === "file") {
      if (batch.push(entry) === pathsAtOnce) yield* flush();
    } else {
      yield* flush();
      yield entry;
    }
  }
  yield* flush();
}

/** Who may read each of some files. */
export async function readersOfFiles(
  files: readonly FileEntry[],
  accounts: PosixAccounts,
  calls: FileCalls,
  sight: ListSight,
): Promise<SourceAcl[]> {
  const keepTold = keepToldDenials(accounts, filePrincipals);
  const folders = new Map<string, Audience>();
  const readers: SourceAcl[] = [];
  for (let start = 0; start < files.length; start += pathsAtOnce) {
    const some = files.slice(start, start + pathsAtOnce);
    const acls = await aclsOf(some, folders, calls, sight);
    readers.push(...some.map(({ path }) => keepTold(acls.get(path) ?? nobody)));
  }
  return readers;
}

async function aclsOf(
  files: FileEntry[],
  folders: Map<string, Audience>,
  calls: FileCalls,
  sight: ListSight,
): Promise<Map<string, SourceAcl>> {
  // Whoever reads through a link must get to it, and to what it names.
  const real = new Map<string, string>();
  for (const { path, stats } of files) {
    // What is left out here is nobody's.
    if (!(await sight.isWholeOfFile(path, stats.dev))) continue;
    real.set(path, await calls.call(path, () => realpath(path)).catch(() => path));
  }
  const parents = [...real].flatMap(([path, target]) => [dirname(path), dirname(target)]);
  await learnFolders([...new Set(parents)], folders, calls, sight);
  const lists = await readAcls([...new Set(real.values())], calls);
  const folderOf = (path: string) => folders.get(dirname(path)) ?? noAudience;
  return new Map(
    [...real].map(([path, target]) => {
      const list = lists.get(target);
      if (list === undefined) return [path, nobody];
      const way = path === target ? folderOf(path) : both(folderOf(path), folderOf(target));
      return [path, readersOf(way, aclAccess(list, readBit), filePrincipals)];
    }),
  );
}

/** Works out who gets down to each folder, from the top of the file system. */
async function learnFolders(
  paths: string[],
  folders: Map<string, Audience>,
  calls: FileCalls,
  sight: ListSight,
): Promise<void> {
  const missing = new Set<string>();
  for (const path of paths) {
    for (let folder = path; !folders.has(folder); folder = dirname(folder)) {
      missing.add(folder);
      if (folder === dirname(folder)) break;
    }
  }
  const sorted = [...missing].sort((a, b) => a.length - b.length);
  for (let start = 0; start < sorted.length; start += pathsAtOnce) {
    const some = sorted.slice(start, start + pathsAtOnce);
    const lists = await readAcls(some, calls);
    for (const folder of some) {
      const above = folder === dirname(folder) ? everybody : (folders.get(dirname(folder)) ?? noAudience);
      const list = (await sight.isWholeOfFolder(folder)) ? lists.get(folder) : undefined;
      const node = list === undefined ? null : aclAccess(list, traverseBit);
      folders.set(folder, node === null ? noAudience : passThrough(above, folder, node, filePrincipals));
    }
  }
}

/** The program is left behind where it hangs as well. @throws AnnealError PREREQUISITE_MISSING */
export async function readAcls(paths: string[], calls: FileCalls): ReturnType<typeof readFileAcls> {
  const [first] = paths;
  return first === undefined
    ? new Map()
    : calls.call(dirname(first), (heard) => readFileAcls(paths, calls.ended, heard));
}

/** @throws AnnealError that names the list which cannot be read */
export async function readLocalAccounts(config: PosixPermissionsConfig, calls: FileCalls): Promise<PosixAccounts> {
  return readAccounts(config, (path) =>
    calls
      .call(path, () => readFile(path, "utf8"))
      .catch((error: unknown) => {
        calls.ended.throwIfAborted();
        throw toFileError(error, path);
      }),
  );
}
