import { readFile, realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { nobody } from "@anneal/core/access/acl";
import type { SourceAcl } from "@anneal/core/access/acl-origins";
import { readAccounts, type PosixAccounts } from "../posix/accounts.ts";
import {
  both,
  posixPrincipals,
  readBit,
  rememberReaders,
  traverseBit,
  type Audience,
  type NodeAccess,
  type PosixPrincipals,
} from "../posix/audience.ts";
import type { PosixPermissionsConfig } from "../posix/config.ts";
import { aclAccess, pathsAtOnce, readFileAcls } from "../posix/getfacl.ts";
import { keepToldDenials } from "../posix/told-denials.ts";
import type { FileCalls } from "./file-calls.ts";
import { toFileError } from "./file-errors.ts";
import { createFolderAudiences } from "./folder-audiences.ts";
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
  const aclsOf = createReadersOfFiles(await readLocalAccounts(config, calls), calls, sight);
  let batch: FileEntry[] = [];
  const flush = async function* (): AsyncIterable<EntryWithAcl> {
    const files = batch;
    batch = [];
    const acls = await aclsOf(files);
    for (const [index, entry] of files.entries()) yield { ...entry, acl: acls[index] ?? nobody };
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
  const aclsOf = createReadersOfFiles(accounts, calls, sight);
  const readers: SourceAcl[] = [];
  for (let start = 0; start < files.length; start += pathsAtOnce) {
    readers.push(...(await aclsOf(files.slice(start, start + pathsAtOnce))));
  }
  return readers;
}

/** For batches of files in the order of a walk: what is worked out for one is remembered for those beside it. */
function createReadersOfFiles(
  accounts: PosixAccounts,
  calls: FileCalls,
  sight: ListSight,
): (files: readonly FileEntry[]) => Promise<SourceAcl[]> {
  const folders = createFolderAudiences((paths) => readPassages(paths, calls, sight), filePrincipals);
  const readersOf = rememberReaders(filePrincipals);
  const keepTold = keepToldDenials(accounts, filePrincipals);
  return async (files) => {
    // Whoever reads through a link must get to it, and to what it names.
    const real = new Map<string, string>();
    for (const { path, stats } of files) {
      // What is left out here is nobody's.
      if (!(await sight.isWholeOfFile(path, stats.dev))) continue;
      real.set(path, await calls.call(path, () => realpath(path)).catch(() => path));
    }
    await folders.learn([...real].flatMap(([path, target]) => [dirname(path), dirname(target)]));
    const lists = await readAcls([...new Set(real.values())], calls);
    return files.map(({ path }) => {
      const target = real.get(path);
      const list = target === undefined ? undefined : lists.get(target);
      if (target === undefined || list === undefined) return nobody;
      return keepTold(readersOf(wayTo(path, target), aclAccess(list, readBit)));
    });
  };

  function wayTo(path: string, target: string): Audience {
    const way = folders.of(dirname(path));
    return path === target ? way : both(way, folders.of(dirname(target)));
  }
}

/** What folders say of passing them, as far as they tell. */
async function readPassages(
  folders: readonly string[],
  calls: FileCalls,
  sight: ListSight,
): Promise<Map<string, NodeAccess>> {
  const nodes = new Map<string, NodeAccess>();
  for (let start = 0; start < folders.length; start += pathsAtOnce) {
    const some = folders.slice(start, start + pathsAtOnce);
    const lists = await readAcls(some, calls);
    for (const folder of some) {
      const list = (await sight.isWholeOfFolder(folder)) ? lists.get(folder) : undefined;
      if (list !== undefined) nodes.set(folder, aclAccess(list, traverseBit));
    }
  }
  return nodes;
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
