import { isMailDecoration } from "@anneal/core/document/mail-decoration";
import PostalMime, { type Attachment, type Email } from "postal-mime";
import { documentError } from "../document-errors.ts";
import type { ParseLimits } from "../limits.ts";
import type { Part, ParsePart } from "../nested-parts.ts";
import type { Parsed } from "../sections.ts";
import { parseHtml } from "./html.ts";
import { attachmentName, readMail } from "./mail.ts";
import { parseText } from "./text.ts";

/** An e-mail as it is sent (RFC 5322, MIME). */
export async function parseEml(bytes: Uint8Array, limits: ParseLimits, parseAttachment: ParsePart): Promise<Parsed> {
  const email = await PostalMime.parse(bytes, {
    forceRfc822Attachments: true,
    maxNestingDepth: 64,
  }).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message.slice(0, 120) : "unknown";
    throw documentError("DOCUMENT_HOSTILE", `The e-mail goes beyond what mail programs accept (${reason}).`);
  });
  const shown = shownIds(email.html ?? "");
  const files = email.attachments.filter((attachment) => !isDecoration(attachment, shown));
  const attachments = files.map((attachment, index): Part => {
    const content = contentOf(attachment);
    return {
      name: fileNameOf(attachment, index),
      mediaType: attachment.mimeType,
      sizeBytes: content.length,
      read: () => content,
    };
  });
  return readMail(
    {
      subject: email.subject ?? "",
      from: email.from === undefined ? [] : [email.from],
      to: email.to ?? [],
      cc: email.cc ?? [],
      date: email.date ?? null,
      body: readBody(email, limits),
      attachments,
      pictures: email.attachments.length - files.length,
    },
    limits,
    parseAttachment,
  );
}

/** The HTML part when it says anything, since it keeps lists and tables; the plain part otherwise. */
function readBody(email: Email, limits: ParseLimits): Parsed {
  if (email.html !== undefined) {
    const parsed = parseHtml(email.html, limits);
    if (parsed.drafts.length > 0) return parsed;
  }
  return parseText(email.text ?? "");
}

/** The Content-IDs that the HTML refers to (RFC 2392). */
function shownIds(html: string): ReadonlySet<string> {
  return new Set(
    [...html.matchAll(/\bcid:([^"'\s<>)]+)/giu)].map(([, id = ""]) => {
      try {
        return decodeURIComponent(id);
      } catch {
        return id;
      }
    }),
  );
}

/** Programs such as Apple Mail mark any picture as inline, also one that was attached: that alone says nothing. */
function isDecoration(attachment: Attachment, shown: ReadonlySet<string>): boolean {
  const isShown = attachment.related === true || shown.has(attachment.contentId?.replace(/^<|>$/gu, "") ?? "");
  return (
    attachment.mimeType.startsWith("image/") && isMailDecoration({ isShown, sizeBytes: contentOf(attachment).length })
  );
}

function contentOf(attachment: Attachment): Uint8Array {
  const { content } = attachment;
  if (typeof content === "string") return new TextEncoder().encode(content);
  return content instanceof Uint8Array ? content : new Uint8Array(content);
}

function fileNameOf(attachment: Attachment, index: number): string {
  const name = attachmentName(attachment.filename);
  if (name !== "") return name;
  return attachment.mimeType === "message/rfc822" ? `message-${index + 1}.eml` : `attachment-${index + 1}`;
}
