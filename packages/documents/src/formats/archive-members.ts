import { gunzipSync } from "node:zlib";
import type { Entry } from "yauzl";
import { bomb, openZip } from "../archive.ts";
import { countOf, documentError, isOfBounds } from "../document-errors.ts";
import type { ParseLimits } from "../limits.ts";
import { type Part, type ParsePart, readParts } from "../nested-parts.ts";
import type { Parsed } from "../sections.ts";
import { type TarFile, readTar } from "./tar.ts";

/** Below this, a high ratio harms nobody. */
const harmlessBytes = 32 * 1024 * 1024;
const maxNameLength = 1_000;
/** What operating systems leave in archives and nobody wrote. */
const litter = /(?:^|\/)(?:__MACOSX\/|\.DS_Store$|Thumbs\.db$|desktop\.ini$|\._)/iu;

/**
 * An archive's files, each as a section named by its path. Files that are protected by a password, that are archives
 * themselves or that cannot be read are told in warnings.
 *
 * @throws AnnealError when the archive itself is harmful or damaged, or when not one of its files can be read.
 */
export async function parseArchive(
  mediaType: "application/zip" | "application/x-tar" | "application/gzip",
  bytes: Uint8Array,
  fileName: string,
  limits: ParseLimits,
  parseMember: ParsePart,
): Promise<Parsed> {
  const members = (await listMembers(mediaType, bytes, fileName, limits)).map((member) => ({
    ...member,
    name: member.name.replace(/\p{Cc}/gu, "").slice(0, maxNameLength),
  }));
  const { failures, ...read } = await readParts(members, "file", limits.maxArchiveMembers, limits, parseMember);
  // Where a limit refused one of the files, there is something to gain by raising it.
  const told = failures.find((failure) => isOfBounds(failure.code)) ?? failures[0];
  if (read.drafts.length === 0 && told !== undefined) {
    const isLocked = failures.every((failure) => failure.code === "DOCUMENT_ENCRYPTED");
    const code = isOfBounds(told.code) ? told.code : isLocked ? "DOCUMENT_ENCRYPTED" : "DOCUMENT_UNSUPPORTED";
    throw documentError(
      code,
      `None of the ${countOf(failures.length, "file")} in the archive can be read; one is ${told.name}: ${told.message}`,
      code === "DOCUMENT_UNSUPPORTED"
        ? { action: "Leave the archive out, or replace its files by ones that are read." }
        : {},
    );
  }
  return { title: null, ...read };
}

async function listMembers(
  mediaType: "application/zip" | "application/x-tar" | "application/gzip",
  bytes: Uint8Array,
  fileName: string,
  limits: ParseLimits,
): Promise<Part[]> {
  if (mediaType === "application/zip") return zipMembers(bytes, limits);
  if (mediaType === "application/x-tar") return readTar(bytes, limits).flatMap(toPart);
  const inflated = inflateGzip(bytes, limits);
  if (inflated.subarray(257, 262).toString("latin1") === "ustar") return readTar(inflated, limits).flatMap(toPart);
  const name = (fileName.split("/").at(-1) ?? "").replace(/\.gz(?:ip)?$/iu, "");
  return toPart({ name: name === "" ? "content" : name, bytes: inflated });
}

async function zipMembers(bytes: Uint8Array, limits: ParseLimits): Promise<Part[]> {
  const zip = await openZip(bytes, limits);
  const entries = zip.entries.filter((entry) => isFile(entry) && !litter.test(entry.fileName));
  const names = new Set(entries.map(nameOf));
  if (names.size < entries.length) {
    throw documentError("DOCUMENT_HOSTILE", "The archive holds a file name twice, which readers resolve differently.");
  }
  return entries.map((entry) => ({
    name: nameOf(entry),
    sizeBytes: entry.uncompressedSize,
    read: () => {
      if (entry.isEncrypted()) throw documentError("DOCUMENT_ENCRYPTED", "The file is protected by a password.");
      return zip.inflate(entry);
    },
  }));
}

/** Many programs write UTF-8 without saying so, and such a name is hardly ever valid UTF-8 by chance. */
function nameOf(entry: Entry): string {
  const isDeclared = (entry.generalPurposeBitFlag & 0x800) !== 0 || entry.extraFields.some(({ id }) => id === 0x7075);
  if (isDeclared || /^[\x20-\x7e]*$/u.test(entry.fileName)) return entry.fileName;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(entry.fileNameRaw).replaceAll("\\", "/");
  } catch {
    return entry.fileName;
  }
}

function isFile(entry: Entry): boolean {
  // The upper half holds Unix's mode where the archive was made there; a link's content is only the path it leads to.
  const isLink = ((entry.externalFileAttributes >>> 16) & 0xf000) === 0xa000;
  return !entry.fileName.endsWith("/") && !isLink;
}

function toPart({ name, bytes }: TarFile): Part[] {
  return litter.test(name) ? [] : [{ name, sizeBytes: bytes.length, read: () => bytes }];
}

function inflateGzip(bytes: Uint8Array, limits: ParseLimits): Buffer {
  const most = Math.min(limits.maxInflatedBytes, Math.max(harmlessBytes, bytes.length * limits.maxExpansionRatio));
  try {
    return gunzipSync(bytes, { maxOutputLength: most });
  } catch (error) {
    if (error instanceof RangeError) throw bomb(most, bytes.length, limits);
    const reason = error instanceof Error ? error.message.slice(0, 120) : "unknown";
    throw documentError("DOCUMENT_DAMAGED", `The compressed file cannot be read (${reason}).`, { cause: error });
  }
}
