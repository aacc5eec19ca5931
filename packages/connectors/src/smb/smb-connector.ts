import { basename } from "node:path/posix";
import type { Principal } from "@anneal/core/access/acl";
import type { SourceAcl } from "@anneal/core/access/acl-origins";
import type { Change, KnownItems, SourceItem } from "@anneal/core/connect/change";
import { leaveOut, type LeftOut, type LeftOutReason } from "@anneal/core/connect/left-out";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { z } from "zod";
import { audienceChange, hasContent, withAcl } from "../acl-change.ts";
import { defineConnector, type DirectoryRequest, type ReadRequest } from "../connector.ts";
import { estimateTotal } from "../estimate-total.ts";
import { tooLarge } from "../failure.ts";
import { beginFirstSync, cursorOnTheWay } from "../first-sync.ts";
import { hideBelow, hidingOf } from "../hiding.ts";
import { mediaTypeOf } from "../media-type.ts";
import { readerRulesOf } from "../reader-rules.ts";
import { deleteMissing, firstSegment } from "../reconcile.ts";
import { rememberByRecord } from "../remember-by-record.ts";
import { SeenRefs } from "../seen-refs.ts";
import { loadAccounts, principalOfSid, smbDirectory, type SmbAccounts } from "./accounts.ts";
import { checkSmb } from "./check-smb.ts";
import { smbConfigSchema, smbFacts, smbSecretSchema, type SmbConfig, type SmbSecrets } from "./config.ts";
import { createNarrowing } from "./narrow.ts";
import type { Passage } from "./passage.ts";
import { readShareAcl, statedShareAcl } from "./share-access.ts";
import { shareContent } from "./smb-content.ts";
import { shareName } from "./smb-errors.ts";
import { openSmb, type SmbSession } from "./smb-session.ts";
import { keepToldDenials } from "./told-denials.ts";
import { isIdentity, pathInShare, shareFolders, walkShare, type RemoteFile } from "./walk.ts";

const checkpointEvery = 200;
const existsSchema = z.object({ exists: z.boolean() });

export const smbConnector = defineConnector<SmbConfig, SmbSecrets>({
  kind: "smb",
  title: "Windows share",
  ...smbFacts,
  configSchema: smbConfigSchema,
  secretSchema: smbSecretSchema,

  check: checkSmb,
  read: readShare,
  readDirectory,
});

/** A checkpoint carries no position: listing again costs no content, and what was stored is known by its fingerprint. */
async function* readShare(request: ReadRequest<SmbConfig, SmbSecrets>): AsyncIterable<Change> {
  const { config, secrets, known, context } = request;
  const accounts = config.permissions === "off" ? null : await loadAccounts(config, secrets, context);
  const principalOf = accounts === null ? null : principalOfSid(config, accounts);
  const session = await openSmb(config, secrets.password ?? "", context);
  try {
    const aclOf = await readAudience(session, config, accounts, principalOf);
    const hiding = hidingOf(known, readerRulesOf(smbFacts, config));
    const seen = new SeenRefs();
    const unlisted: string[] = [];
    const refused: string[] = [];
    const first = await beginFirstSync(request.cursor);
    const folders = shareFolders(first !== null);
    const leftOut: LeftOut = {};
    const leave = (reason: LeftOutReason) => leaveOut(leftOut, reason);
    let scanned = 0;
    for await (const entry of walkShare(session, config, principalOf, context.signal, folders, leave)) {
      seen.add(entry.ref);
      if (entry.type === "failure") {
        // The folder itself has the empty ref: without it there is nothing to compare.
        if (entry.ref === "") {
          if (entry.error.code === "SOURCE_FORBIDDEN") yield* hideBelow(known, [""], hiding);
          throw entry.error;
        }
        if (entry.ref.endsWith("/")) unlisted.push(entry.ref);
        if (entry.ref.endsWith("/") && entry.error.code === "SOURCE_FORBIDDEN") refused.push(entry.ref);
        yield { type: "failure", ref: entry.ref, error: entry.error.toReport() };
        continue;
      }
      scanned += 1;
      yield* changesOf(session, { ...entry, acl: aclOf(entry) }, request);
      if (scanned % checkpointEvery > 0) continue;
      const total = estimateTotal(scanned, folders.share);
      yield { type: "checkpoint", cursor: cursorOnTheWay(first), scanned, total, leftOut: { ...leftOut } };
    }
    yield* hideBelow(known, refused, hiding);
    yield* deleteMissing(
      known,
      context.deletions,
      hiding,
      (ref) => !seen.has(ref) && !unlisted.some((folder) => ref.startsWith(folder)),
      firstSegment,
    );
    yield { type: "checkpoint", cursor: { version: 1 }, scanned, total: scanned, leftOut };
  } finally {
    session.close();
  }
}

/** What the known accounts, the folders above and the share as a whole make of a file's list; null where permissions are not read. */
async function readAudience(
  session: SmbSession,
  config: SmbConfig,
  accounts: SmbAccounts | null,
  principalOf: ((sid: string) => Principal) | null,
): Promise<(file: RemoteFile) => SourceAcl | null> {
  if (accounts === null || principalOf === null) return () => null;
  const keepTold = keepToldDenials(accounts);
  const narrowTo = createNarrowing(accounts, principalOf);
  const shareLists = [await readShareAcl(session, config, principalOf), statedShareAcl(config, principalOf)];
  const ofShare = shareLists.flatMap((list) => (list === null ? [] : [{ container: shareName(config), acl: list }]));
  // Files of one folder have one passage, and many folders the one of those above.
  const narrowingsOf = rememberByRecord((passage: Passage) =>
    [...passage, ...ofShare].map((level) => narrowTo({ ...level, acl: keepTold(level.acl) })),
  );
  return ({ acl, passage }) =>
    acl === null ? null : narrowingsOf(passage).reduce((narrowed, narrow) => narrow(narrowed), keepTold(acl));
}

async function* changesOf(
  session: SmbSession,
  file: RemoteFile,
  { config, known, context }: ReadRequest<SmbConfig, SmbSecrets>,
): AsyncIterable<Change> {
  const contentPart = `${file.sizeBytes}-${file.written}-${file.fileId}`;
  const before = await known.fingerprintOf(file.ref);
  const ofAudience = await audienceChange(known, file.ref, before, file.acl);
  if (ofAudience !== null) yield ofAudience;
  if (hasContent(before, contentPart, file.acl)) return;
  const maxBytes = context.limits.documentBytes;
  if (file.sizeBytes > maxBytes) {
    yield { type: "failure", ref: file.ref, error: tooLarge(file.ref, file.sizeBytes, maxBytes).toReport() };
    return;
  }
  const item = itemOf(file, config, contentPart);
  const fromRef = before === null && isIdentity(file.fileId) ? await movedFrom(session, config, item, known) : null;
  yield fromRef === null
    ? { type: "upsert", item, content: shareContent(session, config, file.ref, maxBytes) }
    : { type: "moved", fromRef, item };
}

/** The known ref that this file had before: same number, size and time, and no longer there (or it is a hard link). */
async function movedFrom(
  session: SmbSession,
  config: SmbConfig,
  item: SourceItem,
  known: KnownItems,
): Promise<string | null> {
  for (const ref of await known.refsWithFingerprint(item.fingerprint)) {
    // Another extension is another parser, so the content must come again.
    if (mediaTypeOf(ref) !== item.mediaType) continue;
    const request = { op: "exists" as const, path: pathInShare(config, ref) };
    if (!(await session.request(request, existsSchema, ref)).exists) return ref;
  }
  return null;
}

function itemOf(file: RemoteFile, config: SmbConfig, contentPart: string): SourceItem {
  const { host, port, share, path } = config;
  const parts = [share, ...path.split(/[/\\]/), ...file.ref.split("/")].filter((part) => part !== "");
  return {
    ref: file.ref,
    uri: `smb://${host}${port === 445 ? "" : `:${port}`}/${parts.map(encodeURIComponent).join("/")}`,
    title: basename(file.ref),
    mediaType: mediaTypeOf(file.ref),
    sizeBytes: file.sizeBytes,
    modifiedAt: timeOf(file.written),
    fingerprint: withAcl(contentPart, file.acl),
    acl: file.acl,
  };
}

const unixEpochMs = 11_644_473_600_000n;

/** @param written 100 ns since 1601; a file may claim a time that no calendar has */
function timeOf(written: bigint): string | null {
  const time = new Date(Number(written / 10_000n - unixEpochMs));
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}

async function* readDirectory(request: DirectoryRequest<SmbConfig, SmbSecrets>): AsyncIterable<DirectoryEntry> {
  const { config, secrets, context } = request;
  if (config.permissions === "off") return;
  yield* smbDirectory(config, await loadAccounts(config, secrets, context));
}
