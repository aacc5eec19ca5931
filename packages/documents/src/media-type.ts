import { utf16ByZeroBytes } from "./decode-text.ts";
import { foreignActions, foreignFormats } from "./foreign-formats.ts";

export const supportedMediaTypes = [
  "text/markdown",
  "text/html",
  "text/plain",
  "text/x-source",
  "text/csv",
  "text/tab-separated-values",
  "application/json",
  "application/x-ndjson",
  "application/xml",
  "message/rfc822",
  "application/pdf",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  "application/vnd.openxmlformats-officedocument.presentationml.presentation",
] as const;
export type SupportedMediaType = (typeof supportedMediaTypes)[number];

export const docxMediaType = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
export const xlsxMediaType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
export const pptxMediaType = "application/vnd.openxmlformats-officedocument.presentationml.presentation";

export type DetectedType =
  | { status: "supported"; mediaType: SupportedMediaType }
  | { status: "unsupported"; mediaType: string; reason: string; action: string };

const byExtension: Record<string, SupportedMediaType> = {
  md: "text/markdown",
  markdown: "text/markdown",
  mdx: "text/markdown",
  html: "text/html",
  htm: "text/html",
  xhtml: "text/html",
  txt: "text/plain",
  text: "text/plain",
  log: "text/plain",
  rst: "text/plain",
  csv: "text/csv",
  tsv: "text/tab-separated-values",
  tab: "text/tab-separated-values",
  json: "application/json",
  jsonl: "application/x-ndjson",
  ndjson: "application/x-ndjson",
  xml: "application/xml",
  eml: "message/rfc822",
  docx: docxMediaType,
  docm: docxMediaType,
  xlsx: xlsxMediaType,
  xlsm: xlsxMediaType,
  pptx: pptxMediaType,
  pptm: pptxMediaType,
  pdf: "application/pdf",
};
const sourceExtensions = new Set(
  "py js mjs cjs ts tsx jsx java kt go rs c h cc cpp hpp cs rb php swift scala sh bash sql css yaml yml toml ini cfg conf tf proto r lua pl ps1".split(
    " ",
  ),
);
const textTypes = new Set<string>(supportedMediaTypes.filter((type) => !/pdf|openxml/u.test(type)));

const headBytes = 64 * 1024;

/**
 * What a document is, by its content first and its name second; a name that contradicts the content loses.
 *
 * @param bytes the file, or at least its first 64 KiB: no more is looked at.
 * @param declared a media type that the source names, for example from an HTTP header or an e-mail part.
 */
export function detectMediaType(bytes: Uint8Array, fileName: string, declared?: string): DetectedType {
  const head = bytes.subarray(0, headBytes);
  const extension = /\.([a-z0-9]+)$/iu.exec(fileName)?.[1]?.toLowerCase() ?? "";
  const latin = Buffer.from(head.buffer, head.byteOffset, head.length).toString("latin1");

  // Some producers put a line or a byte order mark before the PDF header; readers search the first 1,024 bytes.
  if (latin.slice(0, 1024).includes("%PDF-")) return supported("application/pdf");
  if (latin.startsWith("PK\x03\x04")) return detectZip(latin, extension);
  if (latin.startsWith("PK\x05\x06")) return unsupported("application/zip", "an empty ZIP archive", "archive");
  if (latin.startsWith("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) return detectCompound(latin, extension);
  for (const signature of foreignFormats) {
    const at = signature.at ?? 0;
    if (!latin.startsWith(signature.bytes, at)) continue;
    // Three printable letters can begin a text as well; its other bytes tell.
    if (/^[\x20-\x7e]+$/u.test(signature.bytes) && !signature.bytes.startsWith("{") && looksLikeText(head)) continue;
    return unsupported(signature.mediaType, signature.name, signature.action);
  }
  if (!looksLikeText(head)) {
    const named = extension === "" ? "" : `, although its name ends in .${extension}`;
    return {
      status: "unsupported",
      mediaType: "application/octet-stream",
      reason: `The file holds binary data of an unknown kind${named}.`,
      action: "Check the file at its source; it may be damaged or misnamed. Leave it out if it holds no text.",
    };
  }
  return supported(detectText(latin, extension, declared));
}

function supported(mediaType: SupportedMediaType): DetectedType {
  return { status: "supported", mediaType };
}

function unsupported(mediaType: string, name: string, action: keyof typeof foreignActions): DetectedType {
  return {
    status: "unsupported",
    mediaType,
    reason: `The file is ${name}, which is not read.`,
    action: foreignActions[action],
  };
}

function detectZip(latin: string, extension: string): DetectedType {
  // Names stand uncompressed in the local headers; OpenDocument and EPUB store their type as the first entry.
  const stored = /mimetype(application\/[a-z.+-]+)/u.exec(latin.slice(0, 256))?.[1];
  if (stored !== undefined) {
    return unsupported(stored, stored.includes("epub") ? "an EPUB book" : "an OpenDocument file", "docx");
  }
  if (latin.includes("word/document")) return supported(docxMediaType);
  if (/xl\/(?:workbook|worksheets|_rels)/u.test(latin)) {
    if (latin.includes("xl/workbook.bin") || extension === "xlsb") {
      return {
        ...unsupported("application/vnd.ms-excel.sheet.binary.macroenabled.12", "a binary workbook (XLSB)", "none"),
        ...saveAs("XLSX"),
      };
    }
    return supported(xlsxMediaType);
  }
  if (/ppt\/(?:presentation|slides|_rels)/u.test(latin)) return supported(pptxMediaType);
  const named = byExtension[extension];
  // The telling names can lie beyond the first 64 KiB, behind large media; the parser checks the whole archive.
  if (
    latin.includes("[Content_Types].xml") ||
    named === docxMediaType ||
    named === xlsxMediaType ||
    named === pptxMediaType
  ) {
    return supported(named === xlsxMediaType || named === pptxMediaType ? named : docxMediaType);
  }
  return unsupported("application/zip", "a ZIP archive", "archive");
}

/** OLE compound files: the Office formats before 2007, Outlook messages, and every encrypted Office file. */
function detectCompound(latin: string, extension: string): DetectedType {
  const holds = (stream: string) => latin.includes([...stream].join("\0"));
  if (holds("EncryptedPackage") || byExtension[extension]?.includes("openxml")) {
    return supported(byExtension[extension]?.includes("openxml") ? byExtension[extension] : docxMediaType);
  }
  if (holds("__properties_version") || extension === "msg") {
    return {
      ...unsupported("application/vnd.ms-outlook", "an Outlook message (MSG)", "none"),
      ...saveAs("EML"),
    };
  }
  if (holds("WordDocument") || extension === "doc") {
    return {
      ...unsupported("application/msword", "a Word document from before 2007 (DOC)", "none"),
      ...saveAs("DOCX"),
    };
  }
  if (holds("Workbook") || extension === "xls") {
    return {
      ...unsupported("application/vnd.ms-excel", "an Excel workbook from before 2007 (XLS)", "none"),
      ...saveAs("XLSX"),
    };
  }
  if (holds("PowerPoint Document") || extension === "ppt") {
    return {
      ...unsupported("application/vnd.ms-powerpoint", "a PowerPoint file from before 2007 (PPT)", "none"),
      ...saveAs("PPTX"),
    };
  }
  return {
    ...unsupported("application/x-ole-storage", "an old Office or Windows file", "none"),
    ...saveAs("DOCX, XLSX or PPTX"),
  };
}

function saveAs(format: string): { action: string } {
  return { action: `Save it as ${format}, and sync again.` };
}

/** Text has no control characters but white space, form feed, backspace and escape (logs), allowing for a few stray ones. */
function looksLikeText(head: Uint8Array): boolean {
  if (head.length === 0) return true;
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) return true;
  if (utf16ByZeroBytes(head) !== null) return true;
  let controls = 0;
  let high = 0;
  for (const byte of head) {
    if (byte === 0) return false;
    if (byte < 0x20 && !(byte >= 0x08 && byte <= 0x0d) && byte !== 0x1b) controls += 1;
    else if (byte >= 0x80) high += 1;
  }
  if (controls > head.length / 200 + (high === 0 ? 2 : 0)) return false;
  // Compressed or encrypted bytes are half high bytes that are not UTF-8; 8-bit text in Cyrillic or Greek is too, but
  // has no control characters at all.
  return high < head.length * 0.3 || controls === 0;
}

function detectText(latin: string, extension: string, declared: string | undefined): SupportedMediaType {
  const start = latin
    .replace(/^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)/u, "")
    .replaceAll("\0", "")
    .trimStart();
  const named = byExtension[extension];
  if (named !== undefined && textTypes.has(named) && named !== "text/plain") {
    if (named === "application/xml" && looksLikeHtml(start)) return "text/html";
    return named;
  }
  if (sourceExtensions.has(extension)) return "text/x-source";
  const type = declared?.split(";")[0]?.trim().toLowerCase();
  const declaredType =
    type === undefined
      ? undefined
      : (aliases[type] ?? (textTypes.has(type) ? (type as SupportedMediaType) : undefined));
  if (declaredType !== undefined && declaredType !== "text/plain") return declaredType;
  if (looksLikeHtml(start)) return "text/html";
  if (named === "text/plain" || declaredType === "text/plain") return "text/plain";
  if (start.startsWith("<?xml")) return "application/xml";
  if (
    /^(?:[A-Za-z-]+:[ \t][^\n]*\r?\n(?:[ \t][^\n]*\n)*){2,}/u.test(start) &&
    /^(?:from|received|mime-version|message-id):/imu.test(start.slice(0, 4096))
  ) {
    return "message/rfc822";
  }
  if (/^[[{]/u.test(start) && isJson(start)) return "application/json";
  return "text/plain";
}

const aliases: Record<string, SupportedMediaType> = {
  "application/xhtml+xml": "text/html",
  "text/xml": "application/xml",
  "text/x-markdown": "text/markdown",
  "application/jsonl": "application/x-ndjson",
  "application/x-jsonlines": "application/x-ndjson",
  "application/csv": "text/csv",
};

function looksLikeHtml(start: string): boolean {
  return /^(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->)[\s\S])*-->\s*)*<(?:!doctype\s+html|html|head|body)[\s>]/iu.test(
    start.slice(0, 4096),
  );
}

/** The head of a longer file cannot be parsed whole; the way it begins has to do. */
function isJson(start: string): boolean {
  if (start.length >= 32 * 1024) return /^(?:\{\s*"|\[\s*(?:[[{"\d-]|true|false|null))/u.test(start);
  try {
    JSON.parse(start);
    return true;
  } catch {
    return false;
  }
}
