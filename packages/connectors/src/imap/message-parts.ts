import { isMailDecoration } from "@anneal/core/document/mail-decoration";
import type { MessageStructureObject } from "imapflow";
import { mediaTypeOf } from "../media-type.ts";

export type Attachment = { section: string; fileName: string; mediaType: string; sizeBytes: number | null };
/** What a message consists of: the sections of its text, and its attachments. */
export type MessageParts = { texts: string[]; isAlternative: boolean; attachments: Attachment[] };

/** Small pictures that a text shows, and signatures, are neither; a message without attachments has nothing to take out. */
export function listParts(structure: MessageStructureObject): MessageParts {
  const parts: MessageParts = { texts: [], isAlternative: false, attachments: [] };
  const walk = (node: MessageStructureObject, isRelated: boolean) => {
    const type = node.type.toLowerCase();
    if (type === "multipart/alternative") parts.isAlternative = true;
    if (type.startsWith("multipart/")) {
      for (const child of node.childNodes ?? []) walk(child, isRelated || type === "multipart/related");
      return;
    }
    const section = node.part ?? "1";
    const isAttached = node.disposition?.toLowerCase() === "attachment";
    if (!isAttached && (type === "text/plain" || type === "text/html")) parts.texts.push(section);
    else if (!/^application\/(x-)?(pkcs7|pgp)-signature$/.test(type)) {
      const attachment = toAttachment(node, section, type);
      const isShown = isRelated && !isAttached && type.startsWith("image/");
      if (!isMailDecoration({ isShown, sizeBytes: attachment.sizeBytes ?? 0 })) parts.attachments.push(attachment);
    }
  };
  walk(structure, false);
  return parts;
}

function toAttachment(node: MessageStructureObject, section: string, type: string): Attachment {
  const given = node.dispositionParameters?.["filename"] ?? node.parameters?.["name"] ?? "";
  // A name is only shown; a path in it means nothing here.
  const name = (given.split(/[/\\]/).at(-1) ?? "")
    .replace(/\p{Cc}/gu, "")
    .trim()
    .slice(0, 200);
  const fileName = name !== "" ? name : type === "message/rfc822" ? `message-${section}.eml` : `attachment-${section}`;
  const encodedBytes = node.size ?? null;
  const isBase64 = node.encoding?.toLowerCase() === "base64";
  return {
    section,
    fileName,
    // What programs do not know they call an octet stream.
    mediaType: mediaTypeOf(fileName) ?? type,
    sizeBytes: encodedBytes === null || !isBase64 ? encodedBytes : Math.floor((encodedBytes * 3) / 4),
  };
}
