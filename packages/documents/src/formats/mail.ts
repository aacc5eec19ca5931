import { appendAll } from "../append-all.ts";
import { countOf } from "../document-errors.ts";
import type { ParseLimits } from "../limits.ts";
import { type Part, type ParsePart, readParts } from "../nested-parts.ts";
import type { Draft, Parsed } from "../sections.ts";

export type MailAddress = { name: string; address?: string; group?: readonly MailAddress[] };

/** An e-mail, whichever file it came in. */
type Mail = {
  subject: string;
  from: readonly MailAddress[];
  to: readonly MailAddress[];
  cc: readonly MailAddress[];
  /** As it is shown. */
  date: string | null;
  body: Parsed;
  attachments: readonly Part[];
  /** Logos and the like that belong to the body and are not read. */
  pictures: number;
};

/**
 * An e-mail's subject, who wrote to whom and when, its body, then its attachments as sections of their own, each read
 * as the document that it is. An attachment that cannot be read costs a warning, never the e-mail.
 */
export async function readMail(mail: Mail, limits: ParseLimits, parseAttachment: ParsePart): Promise<Parsed> {
  const subject = mail.subject.replace(/\s+/gu, " ").trim();
  const drafts: Draft[] = subject === "" ? [] : [{ kind: "title", text: subject, level: 1 }];
  const envelope = envelopeLines(mail);
  if (envelope.length > 0) drafts.push({ kind: "paragraph", text: envelope.join("\n") });
  for (const draft of mail.body.drafts) drafts.push(belowTitle(draft));
  const warnings = [...mail.body.warnings];
  if (mail.pictures > 0) warnings.push(`${countOf(mail.pictures, "picture")} in the e-mail left out.`);
  const most = limits.maxAttachments;
  const attached = await readParts(mail.attachments, "attachment", most, limits, parseAttachment, drafts);
  appendAll(drafts, attached.drafts);
  appendAll(warnings, attached.warnings);
  return { title: subject === "" ? null : subject, drafts, warnings, cutByBounds: attached.cutByBounds };
}

/** An attachment's name as it can be shown and held against the kinds of files; empty where it has none. */
export function attachmentName(name: string | undefined | null): string {
  return (name ?? "")
    .replace(/\p{Cc}/gu, "")
    .trim()
    .slice(0, 200);
}

function envelopeLines(mail: Mail): string[] {
  const people = (label: string, addresses: readonly MailAddress[]) => {
    const names = addresses.map(showAddress).filter((text) => text !== "");
    return names.length === 0
      ? []
      : [`${label}: ${names.slice(0, 50).join(", ")}${names.length > 50 ? ` and ${names.length - 50} more` : ""}`];
  };
  return [
    ...people("From", mail.from),
    ...people("To", mail.to),
    ...people("Cc", mail.cc),
    ...(mail.date === null ? [] : [`Date: ${mail.date}`]),
  ];
}

function showAddress({ name, address = "", group }: MailAddress): string {
  if (group !== undefined) return `${name}: ${group.map(showAddress).join(", ")}`;
  if (address === "") return name;
  return name === "" || name === address ? address : `${name} <${address}>`;
}

/** The subject is the e-mail's title; what its body calls one is a heading. */
function belowTitle(draft: Draft): Draft {
  return draft.kind === "title" ? { ...draft, kind: "heading" } : draft;
}
