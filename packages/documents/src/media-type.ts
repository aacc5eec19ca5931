import { checkCompoundFile, compoundSignature } from "./compound-file.ts";
import { utf16ByZeroBytes } from "./decode-text.ts";
import { foreignActions, foreignFormats } from "./foreign-formats.ts";
import { zipNames } from "./zip-names.ts";

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
  "application/vnd.ms-outlook",
  "application/vnd.ms-tnef",
  "application/pdf",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  "application/vnd.oasis.opendocument.text",
  "application/vnd.oasis.opendocument.spreadsheet",
  "application/vnd.oasis.opendocument.presentation",
  "application/epub+zip",
  "application/zip",
  "application/x-tar",
  "application/gzip",
] as const;
export type SupportedMediaType = (typeof supportedMediaTypes)[number];

export const docxMediaType = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
export const xlsxMediaType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
export const pptxMediaType = "application/vnd.openxmlformats-officedocument.presentationml.presentation";

const openDocument = "application/vnd.oasis.opendocument.";

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
  msg: "application/vnd.ms-outlook",
  docx: docxMediaType,
  docm: docxMediaType,
  xlsx: xlsxMediaType,
  xlsm: xlsxMediaType,
  pptx: pptxMediaType,
  pptm: pptxMediaType,
  odt: "application/vnd.oasis.opendocument.text",
  ott: "application/vnd.oasis.opendocument.text",
  ods: "application/vnd.oasis.opendocument.spreadsheet",
  ots: "application/vnd.oasis.opendocument.spreadsheet",
  odp: "application/vnd.oasis.opendocument.presentation",
  otp: "application/vnd.oasis.opendocument.presentation",
  epub: "application/epub+zip",
  pdf: "application/pdf",
};
const sourceExtensions = new Set(
  "py js mjs cjs ts tsx jsx java kt go rs c h cc cpp hpp cs rb php swift scala sh bash sql css yaml yml toml ini cfg conf tf proto r lua pl ps1".split(
    " ",
  ),
);
const textTypes = new Set<string>(
  supportedMediaTypes.filter((type) => /^(?:text\/.*|message\/rfc822|application\/(?:json|x-ndjson|xml))$/u.test(type)),
);

const headBytes = 64 * 1024;

/**
 * What a document is, by its content first and its name second; a name that contradicts the content loses.
 *
 * @param bytes the file, or at least its first 64 KiB: no more is looked at, but for the names that a ZIP lists at its
 *   end, and a compound file wherever its directory lies.
 * @param declared a media type that the source names, for example from an HTTP header or an e-mail part.
 */
export function detectMediaType(bytes: Uint8Array, fileName: string, declared?: string): DetectedType {
  const head = bytes.subarray(0, headBytes);
  const extension = /\.([a-z0-9]+)$/iu.exec(fileName)?.[1]?.toLowerCase() ?? "";
  const latin = Buffer.from(head.buffer, head.byteOffset, head.length).toString("latin1");

  // Archives come first: the files in them can stand there as they are.
  if (latin.startsWith("PK\x03\x04")) return detectZip(bytes, latin, extension);
  if (latin.startsWith("ustar", 257) && !looksLikeText(head)) return supported("application/x-tar");
  if (latin.startsWith("\x1f\x8b\x08")) return supported("application/gzip");
  if (isPdf(head, latin)) return supported("application/pdf");
  if (latin.startsWith("PK\x05\x06")) return unsupported("application/zip", "an empty ZIP archive", "archive");
  if (latin.startsWith("\x78\x9f\x3e\x22")) return supported("application/vnd.ms-tnef");
  if (latin.startsWith(compoundSignature)) return detectCompound(bytes, latin, extension);
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

/**
 * Some producers put a line or a byte order mark before the PDF header; readers search the first 1,024 bytes. A text may
 * speak of that header, and holds no object.
 */
function isPdf(head: Uint8Array, latin: string): boolean {
  const at = latin.slice(0, 1024).indexOf("%PDF-");
  return at === 0 || (at > 0 && (!looksLikeText(head) || /\b\d+ \d+ obj\b/u.test(latin)));
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

function detectZip(bytes: Uint8Array, latin: string, extension: string): DetectedType {
  const names = zipNames(bytes);
  // Without the directory the names in the local headers have to do, which also those of a file inside might be.
  const holds = (start: string) =>
    names === null ? latin.includes(start) : names.some((name) => name.startsWith(start));
  // Names stand uncompressed in the local headers; OpenDocument and EPUB store their type as the first entry.
  const stored = /^mimetype(application\/[a-z.+-]+)/u.exec(latin.slice(30, 256))?.[1];
  const named = byExtension[extension];
  if (stored?.startsWith(openDocument) === true) {
    // A template or a part of a master document is read as what it is a template of.
    const kind = /^(?:text|spreadsheet|presentation)(?=-|$)/u.exec(stored.slice(openDocument.length))?.[0];
    const base = supportedMediaTypes.find((type) => type === `${openDocument}${kind ?? ""}`);
    return base === undefined ? unsupported(stored, "an OpenDocument drawing or formula", "docx") : supported(base);
  }
  if (stored === "application/epub+zip" || holds("META-INF/container.xml")) {
    return supported("application/epub+zip");
  }
  // Some programs compress the type or write it late.
  if (named?.startsWith(openDocument) === true && holds("content.xml")) return supported(named);
  const isOffice = names === null || holds("[Content_Types].xml");
  if (isOffice && holds("word/document")) return supported(docxMediaType);
  if (isOffice && ["xl/workbook", "xl/worksheets", "xl/_rels"].some(holds)) {
    if (holds("xl/workbook.bin") || extension === "xlsb") {
      return {
        ...unsupported("application/vnd.ms-excel.sheet.binary.macroenabled.12", "a binary workbook (XLSB)", "none"),
        ...saveAs("XLSX"),
      };
    }
    return supported(xlsxMediaType);
  }
  if (isOffice && ["ppt/presentation", "ppt/slides", "ppt/_rels"].some(holds)) return supported(pptxMediaType);
  const isNamedOffice = named === docxMediaType || named === xlsxMediaType || named === pptxMediaType;
  // The telling names can lie beyond the first 64 KiB, behind large media; the parser checks the whole archive.
  if (isNamedOffice) return supported(named);
  if (holds("[Content_Types].xml")) return supported(docxMediaType);
  if (holds("META-INF/MANIFEST.MF")) return unsupported("application/java-archive", "a Java program", "none");
  if (holds("Index/Document.iwa")) return unsupported("application/x-iwork", "an Apple iWork document", "docx");
  return supported("application/zip");
}

/** OLE compound files: the Office formats before 2007, Outlook messages, and every encrypted Office file. */
function detectCompound(bytes: Uint8Array, latin: string, extension: string): DetectedType {
  const names = compoundNames(bytes);
  // Without a directory that can be read, the names in the first sectors have to do.
  const holds = (stream: string) =>
    names === null ? latin.includes([...stream].join("\0")) : names.some((name) => name.startsWith(stream));
  if (holds("EncryptedPackage") || byExtension[extension]?.includes("openxml")) {
    return supported(byExtension[extension]?.includes("openxml") ? byExtension[extension] : docxMediaType);
  }
  if (holds("__properties_version")) return supported("application/vnd.ms-outlook");
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

/** What stands right under the root; null for a damaged file, which its parser describes. */
function compoundNames(bytes: Uint8Array): string[] | null {
  try {
    return checkCompoundFile(bytes).map(({ name }) => name);
  } catch {
    return null;
  }
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
