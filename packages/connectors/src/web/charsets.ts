import { isUtf8 } from "node:buffer";

/**
 * The header's charset is lost to whoever reads the bytes later, so they leave here as UTF-8, marked as such. It is found as
 * browsers find it: by a byte order mark, else by the header, else by the page itself, else by whether it can be UTF-8.
 */
export function htmlToUtf8(bytes: Uint8Array, contentType: string | null): Uint8Array {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 1024));
  const charset =
    markedCharset(bytes) ??
    headerCharset(contentType) ??
    // What can be read as far as here is not in UTF-16, whatever it says.
    knownCharset(/<meta[^>]+charset\s*=\s*["']?([\w-]+)/i.exec(start)?.[1])?.replace(/^utf-16[bl]e$/, "utf-8") ??
    (isUtf8(bytes) ? "utf-8" : "windows-1252");
  return charset === "utf-8" ? bytes : Buffer.from(`\ufeff${new TextDecoder(charset).decode(bytes)}`);
}

/** The same for text that is no page, which says nothing of its charset itself; what the header does not name stays as it is. */
export async function* textToUtf8(
  body: AsyncIterable<Uint8Array>,
  contentType: string | null,
): AsyncIterable<Uint8Array> {
  const charset = headerCharset(contentType);
  let decoder: InstanceType<typeof TextDecoder> | null | undefined;
  for await (const chunk of body) {
    if (decoder === undefined) {
      const isNamed = charset !== undefined && charset !== "utf-8" && markedCharset(chunk) === undefined;
      decoder = isNamed ? new TextDecoder(charset) : null;
      if (decoder !== null) yield Buffer.from("\ufeff");
    }
    yield decoder === null ? chunk : Buffer.from(decoder.decode(chunk, { stream: true }));
  }
  const rest = decoder?.decode() ?? "";
  if (rest !== "") yield Buffer.from(rest);
}

const byteOrderMarks = [
  { charset: "utf-8", mark: [0xef, 0xbb, 0xbf] },
  { charset: "utf-16le", mark: [0xff, 0xfe] },
  { charset: "utf-16be", mark: [0xfe, 0xff] },
];

function markedCharset(start: Uint8Array): string | undefined {
  return byteOrderMarks.find(({ mark }) => mark.every((byte, index) => start[index] === byte))?.charset;
}

function headerCharset(contentType: string | null): string | undefined {
  return knownCharset(/charset\s*=\s*["']?([\w-]+)/i.exec(contentType ?? "")?.[1]);
}

function knownCharset(label: string | undefined): string | undefined {
  try {
    return label === undefined ? undefined : new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}
