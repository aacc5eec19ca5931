import { nobody, type Principal } from "@anneal/core/access/acl";
import type { SourceAcl } from "@anneal/core/access/acl-origins";
import { AnnealError, isAnnealError } from "@anneal/core/errors";
import { z } from "zod";
import { isExcluded, isIncluded } from "../path-filter.ts";
import type { SmbConfig } from "./config.ts";
import { aclOfDescriptor } from "./ntfs-acl.ts";
import type { SmbSession } from "./smb-session.ts";

export const handleSchema = z.object({ handle: z.number() });

const entrySchema = z.object({
  name: z.string(),
  /** Characters that no text can hold were left out of the name. */
  malformed: z.boolean(),
  attributes: z.number(),
  size: z.number(),
  written: z.string(),
  fileId: z.string(),
  reparseTag: z.number(),
  descriptor: z.union([z.object({ data: z.string() }), z.object({ error: z.string() })]).nullable(),
});
type Entry = z.infer<typeof entrySchema>;
const pageSchema = z.object({ entries: z.array(entrySchema).nullable() });

export type RemoteFile = {
  ref: string;
  sizeBytes: number;
  /** 100 ns since 1601. */
  written: bigint;
  fileId: string;
  /** null where permissions are not read. */
  acl: SourceAcl | null;
};
export type WalkEntry =
  | ({ type: "file" } & RemoteFile)
  /** `ref` ends in "/" for a folder, none of whose children were listed. */
  | { type: "failure"; ref: string; error: AnnealError };

const hidden = 0x2;
const system = 0x4;
const folder = 0x10;
const reparsePoint = 0x400;
/** Reparse points that lead elsewhere; others (deduplicated, offloaded) only store a file in another way. */
const symbolicLink = 0xa000_000c;
const mountPoint = 0xa000_0003;

/**
 * Every file below the folder, refs relative to it with forward slashes. Hidden and system entries, names that begin
 * with a dot and links are left out.
 *
 * @param principalOf null where permissions are not read
 */
export async function* walkShare(
  session: SmbSession,
  config: SmbConfig,
  principalOf: ((sid: string) => Principal) | null,
  signal: AbortSignal,
): AsyncIterable<WalkEntry> {
  const waiting = [""];
  for (let ref = waiting.pop(); ref !== undefined; ref = waiting.pop()) {
    signal.throwIfAborted();
    try {
      for await (const entry of listFolder(session, config, ref, principalOf !== null)) {
        signal.throwIfAborted();
        const child = ref + entry.name;
        if (entry.name.startsWith(".") || (entry.attributes & (hidden | system)) !== 0 || isLink(entry)) continue;
        if (entry.malformed) yield { type: "failure", ref: child, error: badName(child) };
        else if ((entry.attributes & folder) === 0) {
          if (isIncluded(child, config)) yield { type: "file", ...fileOf(entry, child, config, principalOf) };
        } else if (!isExcluded(child, config)) waiting.push(`${child}/`);
      }
    } catch (error) {
      const lost = session.lost();
      if (lost !== null || !isAnnealError(error)) throw lost ?? error;
      yield { type: "failure", ref, error };
    }
  }
}

async function* listFolder(
  session: SmbSession,
  config: SmbConfig,
  ref: string,
  descriptors: boolean,
): AsyncIterable<Entry> {
  const place = ref === "" ? config.path || null : ref;
  const path = pathInShare(config, ref.replace(/\/$/, ""));
  const { handle } = await session.request({ op: "list", path, descriptors }, handleSchema, place);
  try {
    for (;;) {
      const { entries } = await session.request({ op: "page", handle }, pageSchema, place);
      if (entries === null) return;
      yield* entries;
    }
  } finally {
    if (session.lost() === null) await session.request({ op: "close", handle }, z.unknown(), place).catch(() => {});
  }
}

function fileOf(
  entry: Entry,
  ref: string,
  config: SmbConfig,
  principalOf: ((sid: string) => Principal) | null,
): RemoteFile {
  const { size: sizeBytes, written, fileId } = entry;
  const file = { ref, sizeBytes, written: BigInt(written), fileId };
  if (principalOf === null) return { ...file, acl: null };
  const { descriptor } = entry;
  if (descriptor === null || "error" in descriptor) return { ...file, acl: nobody };
  return { ...file, acl: aclOfDescriptor(Buffer.from(descriptor.data, "base64"), principalOf, folderOf(config, ref)) };
}

function isLink({ attributes, reparseTag }: Entry): boolean {
  return (attributes & reparsePoint) !== 0 && (reparseTag === symbolicLink || reparseTag === mountPoint);
}

/** The folder that a file lies in, from the top of the share, as people write it. */
function folderOf(config: SmbConfig, ref: string): string {
  return `/${pathInShare(config, ref.slice(0, ref.lastIndexOf("/") + 1)).replaceAll("\\", "/")}`;
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
