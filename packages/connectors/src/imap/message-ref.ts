import type { ImapConfig } from "./config.ts";

/** Names one message for ever: a server that numbers a mailbox anew gives it another UIDVALIDITY. */
export type MessageRef = { mailbox: string; uidValidity: string; uid: number };
/** A message, or with a section the attachment that lies there in it. */
export type PartRef = MessageRef & { section?: string };

/** In the words of the IMAP URL scheme (RFC 5092), the mailbox's name as people read it. */
export function writeMessageRef({ mailbox, uidValidity, uid, section }: PartRef): string {
  const message = `${mailbox};UIDVALIDITY=${uidValidity}/;UID=${uid}`;
  return section === undefined ? message : `${message}/;SECTION=${section}`;
}

/** @returns null for a ref that names no message, such as that of a mailbox that failed */
export function parseMessageRef(ref: string): PartRef | null {
  const match = /^(.*);UIDVALIDITY=(\d+)\/;UID=(\d+)(?:\/;SECTION=([\d.]+))?$/su.exec(ref);
  if (match === null) return null;
  const [, mailbox = "", uidValidity = "", uid, section] = match;
  return { mailbox, uidValidity, uid: Number(uid), ...(section === undefined ? {} : { section }) };
}

/** The ref of a mailbox as a whole, as failures name it. */
export function writeMailboxRef(mailbox: string): string {
  return `${mailbox}/`;
}

export function messageUri({ host, port, tls, user }: ImapConfig, ref: PartRef): string {
  const isDefault = port === (tls === "tls" ? 993 : 143);
  const path = writeMessageRef({ ...ref, mailbox: ref.mailbox.split("/").map(encodeURIComponent).join("/") });
  return `imap://${encodeURIComponent(user)}@${host}${isDefault ? "" : `:${port}`}/${path}`;
}
