import { decompressRTF } from "@kenjiuno/decompressrtf";
import { describeBytes } from "@anneal/core/describe-bytes";
import { documentError } from "../document-errors.ts";
import type { Parsed } from "../sections.ts";
import { parseText } from "./text.ts";

/** Decompressed it is at most nine times as long, in an array of numbers. */
const maxCompressedBytes = 2 * 1024 * 1024;
const headerBytes = 16;

/** The body of an Outlook message that has only compressed RTF (MS-OXRTFCP): its words, line by line, without their layout. */
export function parseRtf(compressed: Uint8Array): Parsed {
  if (compressed.length > maxCompressedBytes) {
    const size = describeBytes(compressed.length);
    return leftOut(`its formatted text has ${size}, and at most ${describeBytes(maxCompressedBytes)} are read`);
  }
  // The decompressor believes what the header says of the length.
  const claimed =
    compressed.length < headerBytes ? Infinity : Buffer.from(compressed.subarray(0, 4)).readUInt32LE(0) + 4;
  if (claimed > compressed.length) return leftOut("its formatted text is cut off");
  try {
    return parseText(rtfText(Buffer.from(decompressRTF([...compressed])).toString("latin1")));
  } catch (error) {
    if (error instanceof RangeError)
      throw documentError("DOCUMENT_HOSTILE", "The message's text goes beyond all bounds.");
    return leftOut("its formatted text is not in the form that Outlook writes");
  }
}

function leftOut(reason: string): Parsed {
  return { title: null, drafts: [], warnings: [`The message's body was left out: ${reason}.`] };
}

const token = /\\([a-z]+)(-?\d{1,10})? ?|\\'([\da-f]{2})|\\([^a-z])|([{}])|([^\\{}\r\n]+)|[\r\n]+/giu;
/** Groups of the file that are not its text. */
const destinations = new Set(
  "fonttbl colortbl stylesheet info pict object header headerl headerr headerf footer footerl footerr footerf footnote listtable listoverridetable themedata fldinst filetbl".split(
    " ",
  ),
);
const symbols = new Map(
  Object.entries({
    par: "\n",
    line: "\n",
    sect: "\n\n",
    page: "\n\n",
    row: "\n",
    tab: "\t",
    cell: "\t",
    emdash: "—",
    endash: "–",
    bullet: "•",
    lquote: "‘",
    rquote: "’",
    ldblquote: "“",
    rdblquote: "”",
  }),
);

/** @param rtf the file's bytes as characters of Latin-1 */
function rtfText(rtf: string): string {
  const decoder = decoderOf(/\\ansicpg(\d{1,5})/u.exec(rtf)?.[1] ?? "1252");
  const groups: { isSkipped: boolean; fallbackChars: number }[] = [];
  let group = { isSkipped: false, fallbackChars: 1 };
  let text = "";
  let bytes: number[] = [];
  /** Characters for readers without Unicode that still follow a Unicode one. */
  let fallbacks = 0;
  const flush = () => {
    if (bytes.length > 0) text += decoder.decode(Uint8Array.from(bytes));
    bytes = [];
  };
  const write = (words: string) => {
    flush();
    if (!group.isSkipped) text += words;
  };
  for (const [, word, number, hex, symbol, brace, literal] of rtf.matchAll(token)) {
    if (literal !== undefined || hex !== undefined) {
      const read = hex === undefined ? [...literal!].map((char) => char.charCodeAt(0)) : [Number.parseInt(hex, 16)];
      const kept = read.slice(fallbacks);
      fallbacks = Math.max(0, fallbacks - read.length);
      if (!group.isSkipped) for (const byte of kept) bytes.push(byte);
      continue;
    }
    fallbacks = 0;
    if (brace === "{") groups.push({ ...group });
    else if (brace === "}") {
      flush();
      group = groups.pop() ?? group;
    } else if (word === "u" && number !== undefined) {
      write(String.fromCharCode(Number(number) & 0xffff));
      fallbacks = group.fallbackChars;
    } else if (word === "uc") group.fallbackChars = Math.min(Number(number ?? 1), 8);
    else if (symbol === "*" || (word !== undefined && destinations.has(word))) {
      flush();
      group.isSkipped = true;
    } else if (symbol !== undefined && "\\{}".includes(symbol)) write(symbol);
    else if (symbol === "~") write(" ");
    else if (word !== undefined) write(symbols.get(word) ?? "");
  }
  flush();
  return text;
}

function decoderOf(codePage: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(`windows-${codePage}`);
  } catch {
    return new TextDecoder("windows-1252");
  }
}
