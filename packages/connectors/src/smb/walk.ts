import { basename } from "node:path/posix";
import { nobody, type Principal } from "@anneal/core/access/acl";
import type { SourceAcl } from "@anneal/core/access/acl-origins";
import type { LeftOutReason } from "@anneal/core/connect/left-out";
import { AnnealError, isAnnealError } from "@anneal/core/errors";
import { z } from "zod";
import { isExcluded, isIncluded } from "../path-filter.ts";
import type { SmbConfig } from "./config.ts";
import { givenIn, nothingAbove, type GivenAbove } from "./given-above.ts";
import { aclOfDescriptor } from "./ntfs-acl.ts";
import { openPassage, passThrough, type Passage } from "./passage.ts";
import { parseSecurityDescriptor } from "./security-descriptor.ts";
import type { SmbSession } from "./smb-session.ts";
import { WalkedFolders } from "../walked-folders.ts";

export const handleSchema = z.object({ handle: z.number() });

const descriptorSchema = z.union([z.object({ data: z.string() }), z.object({ error: z.string() })]);

const entrySchema = z.object({
  name: z.string(),
  /** Characters that no text can hold were left out of the name. */
  malformed: z.boolean(),
  attributes: z.number(),
  size: z.number(),
  written: z.string(),
  fileId: z.string(),
  reparseTag: z.number(),
  /** null where it was not asked for. */
  descriptor: descriptorSchema.nullable(),
});
type Entry = z.infer<typeof entrySchema>;
type Descriptor = Entry["descriptor"];
const descriptorsSchema = z.object({ descriptors: z.array(descriptorSchema) });
const pageSchema = z.object({ entries: z.array(entrySchema).nullable() });
const placeSchema = z.object({ place: z.string() });

export type RemoteFile = {
  ref: string;
  sizeBytes: number;
  /** 100 ns since 1601. */
  written: bigint;
  fileId: string;
  /** null where permissions are not read. */
  acl: SourceAcl | null;
  passage: Passage;
};
export type WalkEntry =
  | ({ type: "file" } & RemoteFile)
  /** `ref` ends in "/" for a folder, none of whose children were listed. */
  | { type: "failure"; ref: string; error: AnnealError };

const hidden = 0x2;
const system = 0x4;
const folder = 0x10;
const reparsePoint = 0x400;
/**
 * Reparse points that hold no content ([MS-FSCC] 2.1.2.1): those that lead elsewhere, and what systems of the Unix sort have
 * besides, where a server tells. Others (deduplicated, offloaded) only store a file in another way.
 */
const reasons = new Map<number, LeftOutReason>([
  // Symbolic links, mount points (junctions), and links of Linux.
  [0xa000_000c, "link"],
  [0xa000_0003, "link"],
  [0xa000_001d, "link"],
  [0x8000_0023, "socket"],
  [0x8000_0024, "pipe"],
  [0x8000_0025, "device"],
  [0x8000_0026, "device"],
  // Any of these, as NFS has them.
  [0x8000_0014, "other"],
]);

type PrincipalOf = (sid: string) => Principal;

/** What the folders from the top of the share down to one make of what lies in it. */
type Above = { given: GivenAbove; passage: Passage };
const nothingRead: Above = { given: nothingAbove, passage: openPassage };

/**
 * Every file below the folder, refs relative to it with forward slashes. Hidden and system entries, names that begin
 * with a dot and links are left out. Samba follows its disk's links and shows what they lead to as if it lay there; of
 * those the ones to folders are told by where it goes for what is in them.
 *
 * @param principalOf null where permissions are not read
 * @param folders those to list: at the beginning the configured one alone
 * @param leave is told of each link, of a folder that turns out to be one, of what is neither file nor folder, and of what the
 *   settings exclude
 */
export async function* walkShare(
  session: SmbSession,
  config: SmbConfig,
  principalOf: PrincipalOf | null,
  signal: AbortSignal,
  folders = shareFolders(false),
  leave: (reason: LeftOutReason) => void = () => {},
): AsyncIterable<WalkEntry> {
  const top = principalOf === null ? nothingRead : await readAbove(session, config, principalOf);
  for (let next = folders.next(); next !== undefined; next = folders.next()) {
    const { ref, above = top } = next;
    signal.throwIfAborted();
    try {
      const listing = () => listFolder(session, config, next, principalOf !== null, leave);
      for await (const entry of folders.entries(listing)) {
        signal.throwIfAborted();
        const child = ref + entry.name;
        if (entry.name.startsWith(".") || (entry.attributes & (hidden | system)) !== 0) continue;
        const reason = leftOutFor(entry);
        if (reason !== null) {
          leave(isIncluded(child, config) ? reason : "excluded");
        } else if (entry.malformed) yield { type: "failure", ref: child, error: badName(child) };
        else if ((entry.attributes & folder) === 0) {
          if (!isIncluded(child, config)) leave("excluded");
          else yield { type: "file", ...fileOf(entry, child, above, principalOf, session.isSamba) };
        } else if (isExcluded(child, config)) {
          leave("excluded");
        } else if (leadsUp(next, entry)) {
          leave("link");
        } else {
          const path = pathInShare(config, child);
          const below =
            principalOf === null ? nothingRead : enter(session, config, entry.descriptor, path, above, principalOf);
          folders.enter({ ref: `${child}/`, above: below, parent: next, fileId: entry.fileId });
        }
      }
    } catch (error) {
      const lost = session.lost();
      if (lost !== null || !isAnnealError(error)) throw lost ?? error;
      yield { type: "failure", ref, error };
    }
  }
}

/** A folder to list; all but its ref is left out for the one that is configured. */
type ShareFolder = {
  ref: string;
  above?: Above;
  parent?: ShareFolder;
  fileId?: string;
  /** Where the server goes for what is in it, once it was listed and the server tells. */
  place?: string;
};

/** @param counts whether it is wanted which share of the tree was walked */
export function shareFolders(counts: boolean): WalkedFolders<ShareFolder> {
  return new WalkedFolders<ShareFolder>({ ref: "" }, counts);
}

async function* listFolder(
  session: SmbSession,
  config: SmbConfig,
  folder: ShareFolder,
  descriptors: boolean,
  leave?: (reason: LeftOutReason) => void,
): AsyncIterable<Entry> {
  const { ref } = folder;
  const place = ref === "" ? config.path || null : ref;
  const path = pathInShare(config, ref.replace(/\/$/, ""));
  const { handle } = await session.request({ op: "list", path, descriptors }, handleSchema, place);
  try {
    for (let isFirst = true; ; isFirst = false) {
      const { entries } = await session.request({ op: "page", handle }, pageSchema, place);
      if (entries === null) return;
      if (isFirst && (await leadsElsewhere(session, config, folder, entries))) return leave?.("link");
      yield* entries;
    }
  } finally {
    if (session.lost() === null) await session.request({ op: "close", handle }, z.unknown(), place).catch(() => {});
  }
}

/** So many entries are asked about where none lies in its folder: they may be links themselves. */
const askedEntries = 16;

/**
 * How Samba shows a name that Windows would not take. It tells the place by the name itself, in which a backslash parts
 * nothing.
 */
const mangled = /~[A-Z0-9]{1,2}(?:\.|$)/;

/**
 * Whether a folder is a link to one that lies in another: it would be read twice, and without asking the folders above its
 * target whom they let through, as the server does. A link to one beside it is as good as another name.
 *
 * @param entries some of what is in it
 */
async function leadsElsewhere(
  session: SmbSession,
  config: SmbConfig,
  folder: ShareFolder,
  entries: readonly Entry[],
): Promise<boolean> {
  const { ref, parent } = folder;
  // What cannot be told of a folder cannot be told of those in it.
  if (parent !== undefined && parent.place === undefined) return false;
  const own = parent === undefined ? await tellPlace(session, pathInShare(config, "")) : null;
  const asked = entries.filter(({ name, malformed }) => !malformed && !mangled.test(name)).slice(0, askedEntries);
  let isTold = false;
  for (const { name } of asked) {
    const told = await tellPlace(session, pathInShare(config, ref + name));
    if (told === null) continue;
    isTold = true;
    folder.place = folderOf(told) ?? "";
    if (parent === undefined ? folder.place === own : liesIn(folder.place, ref, parent.place ?? "")) return false;
  }
  return parent !== undefined && isTold;
}

/** @returns null where the server does not tell */
async function tellPlace(session: SmbSession, path: string): Promise<string | null> {
  try {
    return (await session.request({ op: "place", path }, placeSchema, path)).place;
  } catch (error) {
    const lost = session.lost();
    if (lost !== null || !isAnnealError(error)) throw lost ?? error;
    return null;
  }
}

/** @param ref of the folder that is at the place */
function liesIn(place: string, ref: string, parent: string): boolean {
  if (!mangled.test(basename(ref))) return folderOf(place) === parent;
  return place !== parent && (parent === "" || place.startsWith(`${parent}\\`));
}

/** @returns null for the top of the share */
function folderOf(place: string): string | null {
  return place === "" ? null : place.slice(0, Math.max(0, place.lastIndexOf("\\")));
}

/** Whether a folder is one of those that it lies in, of a server that goes round in circles and does not tell places. */
function leadsUp(folder: ShareFolder, { fileId }: Entry): boolean {
  for (let above: ShareFolder | undefined = folder; above !== undefined; above = above.parent) {
    if (above.fileId === fileId && isIdentity(fileId)) return true;
  }
  return false;
}

/** Servers whose disks have no numbers for files send none, or all ones ([MS-FSCC] 2.1.9). */
export function isIdentity(fileId: string): boolean {
  return fileId !== "0" && fileId !== String(2n ** 64n - 1n);
}

/** For what lies in the folder that is read. */
async function readAbove(session: SmbSession, config: SmbConfig, principalOf: PrincipalOf): Promise<Above> {
  const path = pathInShare(config, "");
  const named = waysTo(path);
  const real = waysTo(await realPlace(session, config)).filter((way) => !named.includes(way));
  const paths = [...named, ...real];
  const { descriptors } = await session.request({ op: "descriptors", paths }, descriptorsSchema, config.path || null);
  let above: Above | null = null;
  for (const [index, way] of paths.entries()) {
    const { given, passage } = enter(session, config, descriptors[index] ?? null, way, above, principalOf);
    // What a link leads to is let through by the folders above it, and explained by the link's.
    above = { given: above !== null && real.includes(way) ? above.given : given, passage };
  }
  return above ?? nothingRead;
}

/** The folders from the top of the share down to a path. */
function waysTo(path: string): string[] {
  const parts = path.split("\\");
  return [...new Set(["", ...parts.map((_, index) => parts.slice(0, index + 1).join("\\"))])];
}

/**
 * Where the folder that is read lies, should it be a link; where that is not told, or not from the top of the share, where
 * it is said to lie.
 */
async function realPlace(session: SmbSession, config: SmbConfig): Promise<string> {
  const named = pathInShare(config, "");
  if (named === "" || (await tellPlace(session, "")) !== "") return named;
  const root: ShareFolder = { ref: "" };
  try {
    for await (const _ of listFolder(session, config, root, false)) break;
  } catch (error) {
    const lost = session.lost();
    // What the listing fails with is met again, by the walk.
    if (lost !== null || !isAnnealError(error)) throw lost ?? error;
  }
  return root.place ?? named;
}

/** @param above null for the top of the share */
function enter(
  { isSamba }: SmbSession,
  { traverse }: SmbConfig,
  descriptor: Descriptor,
  path: string,
  above: Above | null,
  principalOf: PrincipalOf,
): Above {
  const bytes = bytesOf(descriptor);
  const passage = above?.passage ?? openPassage;
  const folder = `/${path.replaceAll("\\", "/")}`;
  return {
    given: givenByFolder(bytes, folder, above?.given ?? null),
    passage: traverse === "bypassed" ? openPassage : passThrough(folder, bytes, passage, principalOf, isSamba),
  };
}

/** null where it is not told. */
function bytesOf(descriptor: Descriptor): Buffer | null {
  return descriptor === null || "error" in descriptor ? null : Buffer.from(descriptor.data, "base64");
}

/** Nothing is told of what lies below a folder whose list cannot be read. */
function givenByFolder(descriptor: Uint8Array | null, folder: string, above: GivenAbove | null): GivenAbove {
  if (descriptor === null) return nothingAbove;
  try {
    return givenIn(folder, parseSecurityDescriptor(descriptor), above);
  } catch (error) {
    if (error instanceof RangeError) return nothingAbove;
    throw error;
  }
}

function fileOf(
  { size: sizeBytes, written, fileId, descriptor }: Entry,
  ref: string,
  { given, passage }: Above,
  principalOf: PrincipalOf | null,
  byClass: boolean,
): RemoteFile {
  const file = { ref, sizeBytes, written: BigInt(written), fileId, passage };
  if (principalOf === null) return { ...file, acl: null };
  const bytes = bytesOf(descriptor);
  return { ...file, acl: bytes === null ? nobody : aclOfDescriptor(bytes, principalOf, { above: given, byClass }) };
}

function leftOutFor({ attributes, reparseTag }: Entry): LeftOutReason | null {
  return (attributes & reparsePoint) === 0 ? null : (reasons.get(reparseTag) ?? null);
}

/** As the protocol writes paths: from the top of the share, with backslashes. */
export function pathInShare({ path }: Pick<SmbConfig, "path">, ref: string): string {
  return [...path.split(/[/\\]/), ...ref.split("/")].filter((part) => part !== "").join("\\");
}

function badName(ref: string): AnnealError {
  return new AnnealError("INVALID_INPUT", `The name of "${ref}" is not valid Unicode.`, {
    action: "Rename the file or folder.",
  });
}
