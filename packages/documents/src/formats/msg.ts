import { createRequire } from "node:module";
import { isMailDecoration } from "@anneal/core/document/mail-decoration";
import type msgreader from "@kenjiuno/msgreader";
import type { FieldsData } from "@kenjiuno/msgreader";
import { checkCompoundFile } from "../compound-file.ts";
import { decodeText } from "../decode-text.ts";
import { documentError } from "../document-errors.ts";
import type { ParseLimits } from "../limits.ts";
import type { Part, ParsePart } from "../nested-parts.ts";
import type { Parsed } from "../sections.ts";
import { parseHtml } from "./html.ts";
import { type MailAddress, attachmentName, readMail } from "./mail.ts";
import { parseRtf } from "./rtf.ts";
import { parseText } from "./text.ts";

// CommonJS with a default export of its own, which loaders unwrap differently.
const { default: MsgReader } = createRequire(import.meta.url)("@kenjiuno/msgreader") as typeof msgreader;

const sectorBytes = 4096;
/** MS-OXCDATA: the type of a string in the message's code page. */
const string8Type = 0x001e;
/** What programs wrote before Unicode where nothing else is said. */
const usualCodePage = 1252;

/** An Outlook message (MS-OXMSG): the same as an e-mail, and what Outlook adds for itself is left aside. */
export async function parseMsg(bytes: Uint8Array, limits: ParseLimits, parseAttachment: ParsePart): Promise<Parsed> {
  const { fields, contentOf } = readFields(bytes);
  const html = htmlOf(fields);
  const all = fields.attachments ?? [];
  const files = all.filter((attachment) => !isDecoration(attachment, html ?? ""));
  const recipients = (type: "to" | "cc") =>
    (fields.recipients ?? []).filter(({ recipType }) => recipType === type).map(toAddress);
  const sender = toAddress({
    dataType: null,
    name: fields.senderName ?? "",
    smtpAddress: fields.senderSmtpAddress ?? fields.sentRepresentingSmtpAddress ?? "",
    email: fields.senderEmail ?? "",
  });
  return readMail(
    {
      subject: fields.subject ?? "",
      from: [sender],
      to: recipients("to"),
      cc: recipients("cc"),
      date: isoDate(fields.clientSubmitTime ?? fields.messageDeliveryTime),
      body: readBody(fields, html, limits),
      attachments: files.map((attachment, index): Part => toPart(attachment, index, contentOf)),
      pictures: all.length - files.length,
    },
    limits,
    parseAttachment,
  );
}

function readFields(bytes: Uint8Array): { fields: FieldsData; contentOf: (attachment: FieldsData) => Uint8Array } {
  const entries = checkCompoundFile(bytes);
  // The reader takes whole sectors; some programs leave the last one short.
  const padded = Buffer.alloc(Math.ceil(bytes.length / sectorBytes) * sectorBytes);
  padded.set(bytes);
  // Named properties say nothing that is read here, and their tables can be made to cost much: without a name none
  // are found.
  for (const { name, recordOffset } of entries) {
    if (name.startsWith("__nameid")) padded.fill(0, recordOffset, recordOffset + 2);
  }
  const view = new DataView(padded.buffer, padded.byteOffset, padded.length);
  const read = (codePage: number) => {
    const reader = new MsgReader(view);
    let isOld = false;
    reader.parserConfig = {
      ansiEncoding: `cp${codePage}`,
      propertyObserver: (_fields, tag) => {
        isOld ||= (tag & 0xffff) === string8Type;
      },
    };
    const fields = reader.getFileData();
    const contentOf = (attachment: FieldsData) => reader.getAttachment(attachment).content;
    return { fields, contentOf, isOld };
  };
  try {
    const first = read(usualCodePage);
    const codePage = first.fields.messageCodepage;
    if (!first.isOld || codePage === undefined || codePage === usualCodePage) return first;
    try {
      return read(codePage);
    } catch {
      // A code page that nobody knows.
      return first;
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(0, 120) : "unknown";
    throw documentError("DOCUMENT_DAMAGED", `The Outlook message cannot be read (${reason}).`, { cause: error });
  }
}

/** As a string, or as bytes in the code page that Outlook names for the Internet. */
function htmlOf(fields: FieldsData): string | null {
  if (fields.bodyHtml !== undefined && fields.bodyHtml !== "") return fields.bodyHtml;
  if (fields.html === undefined || fields.html.length === 0) return null;
  const declared = /<meta[^>]+charset\s*=\s*["']?([\w.:-]+)/iu.exec(
    Buffer.from(fields.html.subarray(0, 4096)).toString("latin1"),
  )?.[1];
  const codePage = fields.internetCodepage;
  const named = codePage === undefined ? undefined : (codePageNames.get(codePage) ?? `windows-${codePage}`);
  return decodeText(fields.html, named ?? declared).text.replaceAll("\0", "");
}

/** Windows' numbers of the encodings that have no "windows-" label. */
const codePageNames = new Map([
  [65_001, "utf-8"],
  [20_127, "windows-1252"],
  [28_591, "iso-8859-1"],
  [28_592, "iso-8859-2"],
  [28_605, "iso-8859-15"],
  [20_866, "koi8-r"],
  [932, "shift_jis"],
  [50_220, "iso-2022-jp"],
  [51_932, "euc-jp"],
  [936, "gbk"],
  [54_936, "gb18030"],
  [949, "euc-kr"],
  [950, "big5"],
]);

function readBody(fields: FieldsData, html: string | null, limits: ParseLimits): Parsed {
  if (html !== null) {
    const parsed = parseHtml(html, limits);
    if (parsed.drafts.length > 0) return parsed;
  }
  const text = (fields.body ?? "").replaceAll("\0", "");
  if (text.trim() !== "" || fields.compressedRtf === undefined) return parseText(text);
  return parseRtf(fields.compressedRtf);
}

function toPart(attachment: FieldsData, index: number, contentOf: (attachment: FieldsData) => Uint8Array): Part {
  const isMessage = attachment.innerMsgContent === true;
  const given = attachmentName(attachment.fileName ?? attachment.fileNameShort ?? attachment.name);
  const inner = attachmentName(attachment.innerMsgContentFields?.subject);
  const fallback = isMessage ? `message-${index + 1}` : `attachment-${index + 1}`;
  const stem = given !== "" ? given : inner !== "" ? inner : fallback;
  return {
    name: isMessage && !/\.msg$/iu.test(stem) ? `${stem}.msg` : stem,
    ...(attachment.attachMimeTag === undefined || isMessage ? {} : { mediaType: attachment.attachMimeTag }),
    sizeBytes: attachment.contentLength ?? 0,
    read: () => {
      if (!isMessage && attachment.dataId === undefined) {
        throw documentError("DOCUMENT_UNSUPPORTED", "It is a link to a file elsewhere, which is not opened.");
      }
      return contentOf(attachment);
    },
  };
}

/** Logos and signatures' pictures that the HTML refers to, and what Outlook itself hides. */
function isDecoration(attachment: FieldsData, html: string): boolean {
  const isPicture =
    attachment.attachMimeTag?.startsWith("image/") === true ||
    /\.(?:png|jpe?g|gif|bmp|wmf|emf)$/iu.test(attachment.fileName ?? attachment.fileNameShort ?? "");
  const id = attachment.pidContentId;
  const isShownInBody = id !== undefined && id !== "" && html.includes(`cid:${id}`);
  return (
    isPicture &&
    isMailDecoration({
      isShown: attachment.attachmentHidden === true || isShownInBody,
      sizeBytes: attachment.contentLength ?? 0,
    })
  );
}

/** Exchange names its own people by a path of its directory, which is no address. */
function toAddress({ name = "", smtpAddress = "", email = "" }: FieldsData): MailAddress {
  return { name: name.trim(), address: [smtpAddress, email].find((text) => text.includes("@"))?.trim() ?? "" };
}

function isoDate(text: string | undefined): string | null {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}
