import { basename } from "node:path/posix";
import { sourceAclFingerprint, type SourceAcl } from "@anneal/core/access/acl-origins";
import type { Change, SourceItem } from "@anneal/core/connect/change";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { leaveOut, type LeftOut, type LeftOutReason } from "@anneal/core/connect/left-out";
import { AnnealError } from "@anneal/core/errors";
import { aclChange, hasContent, withAcl } from "../acl-change.ts";
import { defineConnector, type DirectoryRequest, type ReadRequest } from "../connector.ts";
import { estimateTotal } from "../estimate-total.ts";
import { tooLarge } from "../failure.ts";
import { beginFirstSync, cursorOnTheWay } from "../first-sync.ts";
import { hideBelow, hidingOf, type Hiding } from "../hiding.ts";
import { mediaTypeOf } from "../media-type.ts";
import { posixDirectory } from "../posix/accounts.ts";
import type { PosixPrincipals } from "../posix/audience.ts";
import { hiddenLists } from "../posix/hidden-lists.ts";
import { keepToldDenials } from "../posix/told-denials.ts";
import { readAhead } from "../read-ahead.ts";
import { readerRulesOf } from "../reader-rules.ts";
import { deleteMissing, firstSegment } from "../reconcile.ts";
import { SeenRefs } from "../seen-refs.ts";
import { checkSftp } from "./check-sftp.ts";
import { sftpConfigSchema, sftpFacts, sftpSecretSchema, type SftpConfig, type SftpSecrets } from "./config.ts";
import { principalsOf, readRemoteAccounts } from "./remote-accounts.ts";
import { aheadBytes, contentFingerprint, remoteContent } from "./sftp-content.ts";
import { openSftp, type SftpSession } from "./sftp-session.ts";
import { openRoot, remoteFolders, walkRemote, type RemoteRoot, type WalkEntry } from "./walk.ts";

const checkpointEvery = 200;
/** A small file takes four times as long as the way to the server: so many are under way at once. */
const filesAhead = 64;

export const sftpConnector = defineConnector<SftpConfig, SftpSecrets>({
  kind: "sftp",
  title: "SFTP server",
  ...sftpFacts,
  configSchema: sftpConfigSchema,
  secretSchema: sftpSecretSchema,

  check: checkSftp,
  read: readServer,
  readDirectory,
});

async function* readServer(request: ReadRequest<SftpConfig, SftpSecrets>): AsyncIterable<Change> {
  const { config, secrets, context } = request;
  const session = await openSftp(config, secrets, context);
  try {
    yield* readSession(session, request);
  } finally {
    await session.close();
  }
}

/** A checkpoint carries no position: listing again costs no content, and what was stored is known by its fingerprint. */
export async function* readSession(
  session: SftpSession,
  request: ReadRequest<SftpConfig, SftpSecrets>,
): AsyncIterable<Change> {
  const { config, known, context } = request;
  const principals = principalsOf(config);
  const root = await openRoot(session, config, principals);
  const hiding = hidingOf(known, readerRulesOf(sftpFacts, config));
  const walked: Walked = { seen: new SeenRefs(), unlisted: [], closed: [], scanned: 0, leftOut: {} };
  const listed = listChanges(session, root, request, hiding, walked);
  const options = { signal: context.signal, window: filesAhead, maxBytes: aheadBytes, heldBytes: aheadBytes };
  for await (const change of readAhead(listed, options)) {
    // What was under way when the connection broke off is not at fault.
    const lost = session.lost();
    if (lost !== null) throw lost;
    yield change;
  }
  const { seen, unlisted, closed, scanned, leftOut } = walked;
  // A drive that was unmounted during the walk left folders that read as empty.
  if ((await openRoot(session, config, null)).path !== root.path) throw replaced(config);
  if (principals !== null && config.hiddenAccessLists === "possible") {
    yield { type: "failure", ref: "", error: hiddenLists("SFTP").toReport() };
  }
  yield* hideBelow(known, closed, hiding);
  yield* deleteMissing(
    known,
    context.deletions,
    hiding,
    (ref) => !seen.has(ref) && !unlisted.some((folder) => ref.startsWith(folder)),
    firstSegment,
  );
  yield { type: "checkpoint", cursor: { version: 1 }, scanned, total: scanned, leftOut };
}

/**
 * What a walk has come to; `unlisted`: what refs begin with of which it cannot tell whether they are gone; `closed`: those of
 * them that it was refused.
 */
type Walked = { seen: SeenRefs; unlisted: string[]; closed: string[]; scanned: number; leftOut: LeftOut };

/** All that a walk finds to be new or different, without what is gone. */
async function* listChanges(
  session: SftpSession,
  root: RemoteRoot,
  request: ReadRequest<SftpConfig, SftpSecrets>,
  hiding: Hiding,
  walked: Walked,
): AsyncIterable<Change> {
  const { config, known, context } = request;
  const principals = principalsOf(config);
  const toldAcl: AclFilter = principals === null ? () => null : await aclFor(session, config, principals);
  const first = await beginFirstSync(request.cursor);
  const folders = remoteFolders(root, first !== null);
  const leave = (reason: LeftOutReason) => leaveOut(walked.leftOut, reason);
  for await (const entry of walkRemote(session, root, config, principals, context.signal, folders, leave)) {
    walked.seen.add(entry.ref);
    if (entry.type === "failure") {
      // The root alone has the empty ref: it was there a moment ago and no longer is.
      if (entry.ref === "") {
        if (entry.error.code === "SOURCE_FORBIDDEN") yield* hideBelow(known, [""], hiding);
        throw entry.error;
      }
      const folder = entry.ref.endsWith("/") ? entry.ref : entry.isUnknown === true ? `${entry.ref}/` : null;
      if (folder !== null) walked.unlisted.push(folder);
      if (entry.error.code === "SOURCE_FORBIDDEN") {
        if (folder !== null) walked.closed.push(folder);
        const change = folder === entry.ref ? null : await hiding.changeOf(entry.ref);
        if (change !== null) yield change;
      }
      yield { type: "failure", ref: entry.ref, error: entry.error.toReport() };
      continue;
    }
    walked.scanned += 1;
    yield* changesOf(session, root, entry, request, toldAcl);
    const { scanned } = walked;
    if (scanned % checkpointEvery > 0) continue;
    const total = estimateTotal(scanned, folders.share);
    yield { type: "checkpoint", cursor: cursorOnTheWay(first), scanned, total, leftOut: { ...walked.leftOut } };
  }
}

type AclFilter = (acl: SourceAcl | null) => SourceAcl | null;

/** @returns what the server's lists make of who gets to a file */
async function aclFor(session: SftpSession, config: SftpConfig, principals: PosixPrincipals): Promise<AclFilter> {
  const keepTold = keepToldDenials(await readRemoteAccounts(session, config), principals);
  return (acl) => (acl === null ? null : keepTold(acl));
}

async function* changesOf(
  session: SftpSession,
  root: RemoteRoot,
  entry: Extract<WalkEntry, { type: "file" }>,
  { config, known, context }: ReadRequest<SftpConfig, SftpSecrets>,
  toldAcl: AclFilter,
): AsyncIterable<Change> {
  const item = itemOf(entry, config, toldAcl(entry.acl));
  const before = await known.fingerprintOf(entry.ref);
  const audienceChange = aclChange(entry.ref, before, item.acl, sourceAclFingerprint);
  if (audienceChange !== null) yield audienceChange;
  if (hasContent(before, contentFingerprint(entry.stats), item.acl)) return;
  const maxBytes = context.limits.documentBytes;
  const sizeBytes = entry.stats.size ?? 0;
  const judged = entry.acl === null ? null : entry.stats;
  yield sizeBytes > maxBytes
    ? { type: "failure", ref: entry.ref, error: tooLarge(entry.path, sizeBytes, maxBytes).toReport() }
    : { type: "upsert", item, content: remoteContent(session, root.path, entry.path, maxBytes, judged) };
}

function itemOf(
  { ref, path, stats }: Extract<WalkEntry, { type: "file" }>,
  config: SftpConfig,
  acl: SourceAcl | null,
): SourceItem {
  return {
    ref,
    uri: `sftp://${config.host}${config.port === 22 ? "" : `:${config.port}`}${encodePath(path)}`,
    title: basename(ref),
    mediaType: mediaTypeOf(ref),
    sizeBytes: stats.size ?? null,
    modifiedAt: stats.mtime === undefined ? null : new Date(stats.mtime * 1000).toISOString(),
    fingerprint: withAcl(contentFingerprint(stats), acl, sourceAclFingerprint),
    acl,
  };
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

async function* readDirectory(request: DirectoryRequest<SftpConfig, SftpSecrets>): AsyncIterable<DirectoryEntry> {
  const { config, secrets, context } = request;
  const principals = principalsOf(config);
  if (principals === null) return;
  const session = await openSftp(config, secrets, context);
  try {
    yield* posixDirectory(await readRemoteAccounts(session, config), principals, config);
  } finally {
    await session.close();
  }
}

function replaced(config: SftpConfig): AnnealError {
  return new AnnealError("SOURCE_NOT_FOUND", `"${config.path}" was replaced while it was read.`, {
    action: "Check that its drive is mounted on the server; then sync again.",
    retryable: true,
  });
}
