import PostalMime, { type Address, type Attachment, type Email } from "postal-mime";
import { countOf, documentError } from "../document-errors.ts";
import type { ParseLimits } from "../limits.ts";
import { type Part, type ParsePart, readParts } from "../nested-parts.ts";
import type { Draft, Parsed } from "../sections.ts";
import { parseHtml } from "./html.ts";
import { parseText } from "./text.ts";

/**
 * An e-mail: its subject, who wrote to whom and when, its body, then its attachments as sections of their own, each
 * read as the document that it is. An attachment that cannot be read costs a warning, never the e-mail.
 */
export async function parseEml(bytes: Uint8Array, limits: ParseLimits, parseAttachment: ParsePart): Promise<Parsed> {
  const email = await PostalMime.parse(bytes, {
    forceRfc822Attachments: true,
    maxNestingDepth: 64,
  }).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message.slice(0, 120) : "unknown";
    throw documentError("DOCUMENT_HOSTILE", `The e-mail goes beyond what mail programs accept (${reason}).`);
  });
  const subject = email.subject?.replace(/\s+/gu, " ").trim() ?? "";
  const drafts: Draft[] = subject === "" ? [] : [{ kind: "title", text: subject, level: 1 }];
  const envelope = envelopeLines(email);
  if (envelope.length > 0) drafts.push({ kind: "paragraph", text: envelope.join("\n") });
  const body = readBody(email, limits);
  drafts.push(...body.drafts.map(belowTitle));
  const warnings = [...body.warnings];

  const files = email.attachments.filter((attachment) => !isDecoration(attachment));
  const pictures = email.attachments.length - files.length;
  if (pictures > 0) warnings.push(`${countOf(pictures, "picture")} in the e-mail left out.`);
  const parts = files.map((attachment, index): Part => {
    const content = contentOf(attachment);
    return {
      name: fileNameOf(attachment, index),
      mediaType: attachment.mimeType,
      sizeBytes: content.length,
      read: () => content,
    };
  });
  const attached = await readParts(parts, "attachment", limits.maxAttachments, limits, parseAttachment);
  drafts.push(...attached.drafts);
  warnings.push(...attached.warnings);
  return { title: subject === "" ? null : subject, drafts, warnings };
}

/** The HTML part when it says anything, since it keeps lists and tables; the plain part otherwise. */
function readBody(email: Email, limits: ParseLimits): Parsed {
  if (email.html !== undefined) {
    const parsed = parseHtml(email.html, limits);
    if (parsed.drafts.length > 0) return parsed;
  }
  return parseText(email.text ?? "");
}

function envelopeLines(email: Email): string[] {
  const people = (label: string, addresses: readonly Address[] | undefined) => {
    const names = (addresses ?? []).map(showAddress).filter((text) => text !== "");
    return names.length === 0
      ? []
      : [`${label}: ${names.slice(0, 50).join(", ")}${names.length > 50 ? ` and ${names.length - 50} more` : ""}`];
  };
  return [
    ...people("From", email.from === undefined ? undefined : [email.from]),
    ...people("To", email.to),
    ...people("Cc", email.cc),
    ...(email.date === undefined ? [] : [`Date: ${email.date}`]),
  ];
}

function showAddress(address: Address): string {
  if (address.group !== undefined) return `${address.name}: ${address.group.map(showAddress).join(", ")}`;
  if (address.address === "") return address.name;
  return address.name === "" ? address.address : `${address.name} <${address.address}>`;
}

/** Logos and tracking pixels that the HTML refers to. */
function isDecoration(attachment: Attachment): boolean {
  return (
    attachment.mimeType.startsWith("image/") && (attachment.related === true || attachment.disposition !== "attachment")
  );
}

function contentOf(attachment: Attachment): Uint8Array {
  const { content } = attachment;
  if (typeof content === "string") return new TextEncoder().encode(content);
  return content instanceof Uint8Array ? content : new Uint8Array(content);
}

function fileNameOf(attachment: Attachment, index: number): string {
  const name =
    attachment.filename
      ?.replace(/\p{Cc}/gu, "")
      .trim()
      .slice(0, 200) ?? "";
  if (name !== "") return name;
  return attachment.mimeType === "message/rfc822" ? `message-${index + 1}.eml` : `attachment-${index + 1}`;
}

/** The subject is the e-mail's title; what its body calls one is a heading. */
function belowTitle(draft: Draft): Draft {
  return draft.kind === "title" ? { ...draft, kind: "heading" } : draft;
}
