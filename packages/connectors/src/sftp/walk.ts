import { nobody } from "@anneal/core/access/acl";
import type { SourceAcl } from "@anneal/core/access/acl-origins";
import type { LeftOutReason } from "@anneal/core/connect/left-out";
import { AnnealError, isAnnealError } from "@anneal/core/errors";
import type { SftpConfig } from "./config.ts";
import type { RemoteStats, SftpSession } from "./sftp-session.ts";
import { isExcluded, isIncluded } from "../path-filter.ts";
import {
  everybody,
  modeAccess,
  noAudience,
  passThrough,
  readBit,
  readersOf,
  traverseBit,
  type Audience,
  type NodeAccess,
  type PosixPrincipals,
} from "../posix/audience.ts";
import { WalkedFolders } from "../walked-folders.ts";
import { createListingsAhead, foldersAhead } from "./listings-ahead.ts";
import { toSftpError } from "./sftp-errors.ts";

export type WalkEntry =
  /** `acl` is null where permissions are not read. */
  | { type: "file"; ref: string; path: string; stats: RemoteStats; acl: SourceAcl | null }
  /**
   * `ref` ends in "/" for a folder, none of whose children were listed. `isUnknown`: whether it is a folder could not be
   * told, so that something may lie in it.
   */
  | { type: "failure"; ref: string; error: AnnealError; isUnknown?: true };

const typeMask = 0o170000;
const folderType = 0o040000;
const fileType = 0o100000;
const linkType = 0o120000;
const otherTypes: Record<number, LeftOutReason> = {
  0o010000: "pipe",
  0o140000: "socket",
  0o020000: "device",
  0o060000: "device",
};

export type RemoteRoot = { path: string; audience: Audience | null };

/**
 * @returns the folder's real path and who gets down to it, the folders above it included; nobody where access lists may
 * stand behind the modes, which then vouch for the owner alone, and no owner gets there without others' right
 * @throws AnnealError SOURCE_NOT_FOUND, SOURCE_FORBIDDEN, INVALID_INPUT where it is no folder
 */
export async function openRoot(
  session: SftpSession,
  config: SftpConfig,
  principals: PosixPrincipals | null,
): Promise<RemoteRoot> {
  const path = await session.realPath(config.path);
  const stats = await session.stat(path);
  if (!isFolder(stats)) {
    throw new AnnealError("INVALID_INPUT", `"${config.path}" is not a folder.`, {
      action: "Name the folder that holds it.",
    });
  }
  if (principals === null) return { path, audience: null };
  if (config.hiddenAccessLists === "possible") return { path, audience: noAudience };
  return { path, audience: await audienceOfPath(session, path, principals) };
}

/** A folder to list, with who gets down to it. */
export type RemoteFolder = { ref: string; audience: Audience | null };

/**
 * Every regular file below the root, folder by folder; refs are relative with forward slashes. Names that begin with a
 * dot are skipped. A link to a file is followed only to a target inside the root; a link to a folder never is, because
 * what lies inside the root is listed at its own place and loops cannot arise.
 *
 * @param folders those to list: at the beginning the root alone
 * @param leave is told of each link that is not followed, of what is neither file nor folder, and of what the settings exclude
 */
export async function* walkRemote(
  session: SftpSession,
  root: RemoteRoot,
  config: SftpConfig,
  principals: PosixPrincipals | null,
  signal: AbortSignal,
  folders = remoteFolders(root, false),
  leave: (reason: LeftOutReason) => void = () => {},
): AsyncIterable<WalkEntry> {
  const listings = createListingsAhead((path) => session.list(path));
  const announceNext = () =>
    listings.announce(folders.upcoming(foldersAhead).map(({ ref }) => joinPath(root.path, ref)));
  for (let folder = folders.next(); folder !== undefined; folder = folders.next()) {
    signal.throwIfAborted();
    const path = joinPath(root.path, folder.ref);
    announceNext();
    try {
      for await (const { name, stats } of folders.entries(() => listings.list(path))) {
        signal.throwIfAborted();
        if (name.startsWith(".")) continue;
        const ref = folder.ref + name;
        if (name.includes("/")) continue;
        if (name.includes("\ufffd") && (await isMissing(session, joinPath(root.path, ref)))) {
          yield { type: "failure", ref, error: badName(ref) };
          continue;
        }
        if (isExcluded(ref, config)) {
          leave("excluded");
          continue;
        }
        const told = typeOf(stats) === null ? await lookAt(session, root.path, ref) : { stats };
        if (told === null) continue;
        if ("error" in told) yield { type: "failure", ref, error: told.error, isUnknown: true };
        else if (isFolder(told.stats)) {
          const audience = passed(folder.audience, joinPath(root.path, ref), told.stats, principals);
          folders.enter({ ref: `${ref}/`, audience });
          announceNext();
        } else if (isIncluded(ref, config)) {
          const entry = { ref, stats: told.stats, folder: folder.audience };
          const found = await inspect(session, root.path, entry, principals);
          if (found?.type === "leftOut") leave(found.reason);
          else if (found !== null) yield found;
        } else leave("excluded");
      }
    } catch (error) {
      signal.throwIfAborted();
      const lost = session.lost();
      if (lost !== null) throw lost;
      yield { type: "failure", ref: folder.ref, error: toSftpError(error, config, path) };
    }
  }
}

/** @param counts whether it is wanted which share of the tree was walked */
export function remoteFolders({ audience }: RemoteRoot, counts: boolean): WalkedFolders<RemoteFolder> {
  return new WalkedFolders({ ref: "", audience }, counts);
}

/**
 * An entry of which the listing does not say what it is: the protocol leaves that to the server.
 *
 * @returns null where it is gone since
 */
async function lookAt(
  session: SftpSession,
  root: string,
  ref: string,
): Promise<{ stats: RemoteStats } | { error: AnnealError } | null> {
  const path = joinPath(root, ref);
  try {
    const stats = await session.lstat(path);
    return typeOf(stats) === null ? { error: untold(path) } : { stats };
  } catch (error) {
    if (session.lost() !== null || !isAnnealError(error)) throw error;
    return error.code === "SOURCE_NOT_FOUND" ? null : { error };
  }
}

type LeftOutEntry = { type: "leftOut"; reason: LeftOutReason };

async function inspect(
  session: SftpSession,
  root: string,
  entry: { ref: string; stats: RemoteStats; folder: Audience | null },
  principals: PosixPrincipals | null,
): Promise<WalkEntry | LeftOutEntry | null> {
  const { ref, stats, folder } = entry;
  const path = joinPath(root, ref);
  const link: LeftOutEntry = { type: "leftOut", reason: "link" };
  try {
    if (typeOf(stats) === fileType) {
      return { type: "file", ref, path, stats, acl: aclOf(folder, stats, principals) };
    }
    if (typeOf(stats) !== linkType) return { type: "leftOut", reason: reasonOf(stats) };
    const target = await session.realPath(path);
    if (!isInside(root, target)) return link;
    const targetStats = await session.stat(target);
    if (typeOf(targetStats) === null) throw untold(target);
    if (typeOf(targetStats) !== fileType) return link;
    // Whoever reads through a link must get to it, and to what it names.
    const gate =
      folder === null || principals === null
        ? null
        : await audienceOfPath(session, folderOf(target), principals, folder);
    return { type: "file", ref, path, stats: targetStats, acl: aclOf(gate, targetStats, principals) };
  } catch (error) {
    if (session.lost() !== null || !isAnnealError(error)) throw error;
    // A link to nowhere, or deleted since the folder was listed: there is no document.
    return error.code === "SOURCE_NOT_FOUND" ? link : { type: "failure", ref, error };
  }
}

/** Whom of `audience` the folder at `path` lets through. */
function passed(
  audience: Audience | null,
  path: string,
  stats: RemoteStats,
  principals: PosixPrincipals | null,
): Audience | null {
  if (audience === null || principals === null) return null;
  const node = accessOf(stats, traverseBit);
  return node === null ? noAudience : passThrough(audience, path, node, principals);
}

/** @param way who gets down to the file */
function aclOf(way: Audience | null, stats: RemoteStats, principals: PosixPrincipals | null): SourceAcl | null {
  if (way === null || principals === null) return null;
  const node = accessOf(stats, readBit);
  return node === null ? nobody : readersOf(way, node, principals);
}

/** @returns null where the server does not tell owners and rights, by which alone anybody could be admitted */
function accessOf({ mode, uid, gid }: RemoteStats, bit: typeof readBit | typeof traverseBit): NodeAccess | null {
  return mode === undefined || uid === undefined || gid === undefined ? null : modeAccess({ mode, uid, gid }, bit);
}

/** Who may pass `path` and every folder above it, out of `audience`. */
async function audienceOfPath(
  session: SftpSession,
  path: string,
  principals: PosixPrincipals,
  audience: Audience = everybody,
): Promise<Audience> {
  let result = audience;
  const folders = path.split("/").filter((part) => part !== "");
  for (let depth = 0; depth <= folders.length; depth += 1) {
    const folder = `/${folders.slice(0, depth).join("/")}`;
    const stats = await session.stat(folder).catch((error: unknown) => {
      if (session.lost() !== null || !isAnnealError(error)) throw error;
      return null;
    });
    // A folder above the root that cannot be looked at is one that cannot be vouched for.
    result = stats === null ? noAudience : (passed(result, folder, stats, principals) ?? noAudience);
  }
  return result;
}

/** @returns null where the server does not tell: no mode at all, or one of permissions alone */
function typeOf({ mode = 0 }: RemoteStats): number | null {
  const type = mode & typeMask;
  return type === 0 ? null : type;
}

function reasonOf(stats: RemoteStats): LeftOutReason {
  return otherTypes[typeOf(stats) ?? 0] ?? "other";
}

function isFolder(stats: RemoteStats): boolean {
  return typeOf(stats) === folderType;
}

export function isRegularFile(stats: RemoteStats): boolean {
  return typeOf(stats) === fileType;
}

export function joinPath(root: string, ref: string): string {
  return `${root.endsWith("/") ? root : `${root}/`}${ref}`;
}

export function isInside(root: string, path: string): boolean {
  return path.startsWith(root.endsWith("/") ? root : `${root}/`);
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

async function isMissing(session: SftpSession, path: string): Promise<boolean> {
  return session.lstat(path).then(
    () => false,
    () => true,
  );
}

function untold(path: string): AnnealError {
  return new AnnealError("SOURCE_UNREACHABLE", `The server does not say whether "${path}" is a file or a folder.`, {
    action: "Have the server tell types and permissions over SFTP, or exclude it.",
  });
}

function badName(ref: string): AnnealError {
  return new AnnealError("INVALID_INPUT", `The name of "${ref}" is not valid UTF-8.`, {
    action: "Rename the file or folder.",
  });
}
