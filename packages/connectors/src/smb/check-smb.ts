import { AnnealError } from "@anneal/core/errors";
import type { CapabilityCheck, CheckResult, ConnectContext } from "../connector.ts";
import { failedCheck } from "../failure.ts";
import { addToPreview, describePreview, sampleCount, type Preview } from "../preview.ts";
import { countPeople, loadAccounts, noAccounts, principalOfSid } from "./accounts.ts";
import type { SmbConfig, SmbSecrets } from "./config.ts";
import { letsNobodyThrough } from "./passage.ts";
import { everybodySids } from "./ntfs-acl.ts";
import { readShareAcl } from "./share-access.ts";
import { shareContent } from "./smb-content.ts";
import { shareName } from "./smb-errors.ts";
import { openSmb, type SmbSession } from "./smb-session.ts";
import { createIsTold } from "./told-denials.ts";
import { walkShare } from "./walk.ts";
import { wordAccounts, wordPeople } from "./word-accounts.ts";

const checkedFiles = 1000;
const checkMs = 5_000;

type Look = {
  preview: Preview;
  unreadable: AnnealError[];
  withoutReaders: number;
  /** Files that some folder lets nobody through to, as far as it tells. */
  cutOff: number;
  /** SIDs that the share, a folder or a file denies something. */
  denied: Set<string>;
  /** Whether the share as a whole admits everybody; null where permissions are not read. */
  isOpen: boolean | null;
  isSamba: boolean;
};

export async function checkSmb(config: SmbConfig, secrets: SmbSecrets, context: ConnectContext): Promise<CheckResult> {
  try {
    const session = await openSmb(config, secrets.password ?? "", context);
    try {
      const seen = await look(session, config, context);
      const [first] = seen.unreadable;
      if (first !== undefined && seen.preview.count === 0) return failedCheck("read", first);
      const place = `${shareName(config)}${config.path === "" ? "" : `\\${config.path.replaceAll("/", "\\")}`}`;
      return {
        checks: [
          first === undefined
            ? { capability: "read", status: "ok", message: `${place} can be listed.` }
            : { capability: "read", status: "warning", message: first.message, action: first.action },
          ...(await checkPermissions(config, secrets, context, seen)),
        ],
        summary: `${place} can be read and holds ${describePreview(seen.preview, "file")}.`,
        error: null,
      };
    } finally {
      session.close();
    }
  } catch (error) {
    context.signal.throwIfAborted();
    return failedCheck("read", error);
  }
}

async function look(session: SmbSession, config: SmbConfig, context: ConnectContext): Promise<Look> {
  const principalOf = config.permissions === "off" ? null : principalOfSid(config, noAccounts);
  const share = principalOf === null ? null : await readShareAcl(session, config, principalOf);
  const seen: Look = {
    preview: { count: 0, complete: true, samples: [] },
    unreadable: [],
    withoutReaders: 0,
    cutOff: 0,
    denied: new Set(share?.deny.map(({ id }) => id)),
    isOpen: principalOf === null ? null : share === null,
    isSamba: session.isSamba,
  };
  const until = performance.now() + checkMs;
  for await (const entry of walkShare(session, config, principalOf, context.signal)) {
    if (entry.type === "failure" && entry.ref === "") throw entry.error;
    // Only the first files are tried: a folder whose files are all of another user is found by them.
    const tried = seen.preview.samples.length < sampleCount && entry.type === "file";
    const error =
      entry.type === "failure" ? entry.error : tried ? await readError(session, config, entry.ref, context) : null;
    if (error !== null) seen.unreadable.push(error);
    else addToPreview(seen.preview, entry.ref);
    if (entry.type === "file" && entry.acl !== null) {
      for (const { deny } of [entry.acl, ...entry.passage.map(({ acl }) => acl)])
        for (const { id } of deny) seen.denied.add(id);
      if (letsNobodyThrough(entry.passage)) seen.cutOff += 1;
      else if (entry.acl.allow.length === 0) seen.withoutReaders += 1;
    }
    seen.preview.complete = seen.preview.count < checkedFiles && performance.now() < until;
    if (!seen.preview.complete) break;
  }
  return seen;
}

async function readError(
  session: SmbSession,
  config: SmbConfig,
  ref: string,
  { signal, limits }: ConnectContext,
): Promise<AnnealError | null> {
  try {
    for await (const _ of await shareContent(session, config, ref, limits.documentBytes).open(signal)) break;
    return null;
  } catch (error) {
    if (!(error instanceof AnnealError)) throw error;
    return error.code === "DOCUMENT_TOO_LARGE" ? null : error;
  }
}

async function checkPermissions(
  config: SmbConfig,
  secrets: SmbSecrets,
  context: ConnectContext,
  seen: Look,
): Promise<CapabilityCheck[]> {
  const { isOpen } = seen;
  if (isOpen === null) {
    const message = "File permissions are not read: every document gets the source's default audience.";
    return [{ capability: "permissions", status: "warning", message }];
  }
  return [checkLists(config, { ...seen, isOpen }), await checkAccounts(config, secrets, context, seen.denied)];
}

function checkLists(
  { traverse, shareAdmits, shareAdmitsEverybody }: SmbConfig,
  { preview, withoutReaders, cutOff, isOpen, isSamba }: Look & { isOpen: boolean },
): CapabilityCheck {
  const capability = "permissions";
  const first = `Of the first ${preview.count} files`;
  if (withoutReaders > 0) {
    return {
      capability,
      status: "warning",
      message: `${first} ${withoutReaders} have no access list that can be read, so nobody would see them. Grant the user “Read permissions” on them.`,
    };
  }
  if (cutOff > 0) {
    return {
      capability,
      status: "warning",
      message: `${first} ${cutOff} lie in a folder whose access list cannot be read or lets nobody through, so nobody would see them.`,
      action:
        "Grant the user “Read permissions” on every folder, from the top of the share. If the server lets everybody through folders, as Windows does by default, set “Rights of folders” to “Everybody passes” (traverse=bypassed).",
    };
  }
  const lists =
    traverse === "bypassed"
      ? "Files' access lists can be read; those of the folders above them do not count."
      : `Access lists of files and folders can be read.${isSamba ? "" : " Whoever may not pass through a folder sees nothing in it; if the server lets everybody through folders, as Windows does by default, set “Rights of folders” to “Everybody passes” (traverse=bypassed)."}`;
  const isStated = shareAdmits.length > 0 || shareAdmitsEverybody;
  if (!isStated && (isSamba || isOpen)) {
    return {
      capability,
      status: "warning",
      message: `${lists} The share's own permissions admit ${isOpen ? "everybody" : "fewer"}; what “valid users” and “hosts allow” of Samba say besides is told to nobody, and not kept.`,
      action: isOpen
        ? "Enter whom “valid users” names under “Whom the share admits”; where nothing limits the share, say so with “The share admits everybody”."
        : "Enter whom “valid users” names, or else the share's own permissions, under “Whom the share admits”.",
    };
  }
  const share = isOpen && shareAdmits.length === 0 ? "admits everybody" : "admits fewer, which is kept";
  return { capability, status: "ok", message: `${lists} The share itself ${share}.` };
}

/** @throws AnnealError as a sync would end with */
async function checkAccounts(
  config: SmbConfig,
  secrets: SmbSecrets,
  context: ConnectContext,
  denied: ReadonlySet<string>,
): Promise<CapabilityCheck> {
  const capability = "people and groups";
  const accounts = await loadAccounts(config, secrets, context);
  const { users, groups } = accounts;
  const count = wordAccounts(users.length, groups.length);
  const isTold = createIsTold(accounts);
  const stranger = [...denied].find((sid) => !isTold(sid));
  if (stranger !== undefined) {
    const message = `${count}; who "${stranger}" is, whom an access list denies, is not told: nobody sees what denies them.`;
    const action = "Name the domain controller, or enter that group with all its members among the source's groups.";
    return { capability, status: "warning", message, action };
  }
  const known = new Set([...users, ...groups].map(({ sid }) => sid));
  const unknown = config.shareAdmits.find((sid) => !known.has(sid) && !everybodySids.has(sid));
  if (unknown !== undefined) {
    const message = `${count}; who "${unknown}" is, whom the share shall admit, is not told: it admits nobody by that.`;
    const action = "Correct “Whom the share admits”, name the domain controller, or enter it among people or groups.";
    return { capability, status: "warning", message, action };
  }
  const people = countPeople(config, accounts);
  if (people > 0) return { capability, status: "ok", message: `${count}; ${wordPeople(people, users.length)}.` };
  const lack =
    users.length === 0
      ? "nobody"
      : config.userEmailDomain === null
        ? "no e-mail domain is entered that makes them people, so nobody"
        : "none of the accounts is a person's (Administrator, Guest and krbtgt are not, nor are machines), so nobody";
  return { capability, status: "warning", message: `${count}; ${lack} would see a document.` };
}
