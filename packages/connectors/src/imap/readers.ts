import { hash } from "node:crypto";
import { aclFingerprint, type Acl, type Principal } from "@anneal/core/access/acl";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import type { ImapConfig } from "./config.ts";

/**
 * The tenant is the account that is read, so that a reader of one mailbox is nobody in another one that names the same
 * person.
 */
function readerOf(config: ImapConfig, email: string): Principal {
  return { source: "imap", tenant: accountOf(config), kind: "user", id: email.toLowerCase() };
}

export function accountOf({ host, port, user }: ImapConfig): string {
  return `${user}@${host.toLowerCase()}:${port}`;
}

/** @returns null where nobody is named: the source's own audience applies then */
export function readersAcl(config: ImapConfig): Acl | null {
  if (config.readers.length === 0) return null;
  return { allow: config.readers.map((email) => readerOf(config, email)), deny: [] };
}

export async function* listReaders(config: ImapConfig): AsyncIterable<DirectoryEntry> {
  for (const email of new Set(config.readers.map((reader) => reader.toLowerCase()))) {
    yield { type: "user", principal: readerOf(config, email), name: email, emails: [email] };
  }
}

/** The parts of a fingerprint: which message it is, in which account it was read, and who may read it. */
export type MessageFingerprint = { identity: string; account: string; audience: string };

export function writeFingerprint({ identity, account, audience }: MessageFingerprint): string {
  return `${identity}|${account}|${audience}`;
}

/** @returns null for what was stored without being read: a message that failed */
export function parseFingerprint(fingerprint: string): MessageFingerprint | null {
  const [identity, account, audience] = fingerprint.split("|");
  return identity && account !== undefined && audience !== undefined ? { identity, account, audience } : null;
}

/**
 * What fingerprints say of the account and of the audience that a configuration gives. What a message is stored without
 * belongs to the account: it is read anew under another one.
 */
export function digestSettings(config: ImapConfig): Pick<MessageFingerprint, "account" | "audience"> {
  const acl = readersAcl(config);
  return {
    account: digest(`${accountOf(config)} ${config.attachments}`),
    audience: acl === null ? "" : digest(aclFingerprint(acl)),
  };
}

function digest(text: string): string {
  return hash("sha256", text).slice(0, 16);
}
