import { documentError } from "../document-errors.ts";
import type { ParseLimits } from "../limits.ts";
import { openOoxml } from "../ooxml-package.ts";
import type { Parsed } from "../sections.ts";
import { parseDocx } from "./docx.ts";
import { parsePptx } from "./pptx.ts";
import { parseXlsx } from "./xlsx.ts";

const compoundMagic = [0xd0, 0xcf, 0x11, 0xe0];

/** Any Office file of the XML formats; its main part says which it is, whatever its name says. */
export async function parseOffice(bytes: Uint8Array, limits: ParseLimits): Promise<Parsed> {
  if (compoundMagic.every((byte, index) => bytes[index] === byte)) throw encrypted(bytes);
  const office = await openOoxml(bytes, limits);
  switch (office.mainPart.split("/")[0]) {
    case "word":
      return parseDocx(office, limits);
    case "xl":
      return parseXlsx(office, limits);
    case "ppt":
      return parsePptx(office, limits);
    default:
      throw documentError(
        "DOCUMENT_UNSUPPORTED",
        "The file is an Office file, but neither a document, a workbook nor a presentation.",
      );
  }
}

/** A password turns an Office file into a compound file with one encrypted stream. */
function encrypted(bytes: Uint8Array): Error {
  const holds = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(
    Buffer.from("EncryptedPackage", "utf16le"),
  );
  if (holds) return documentError("DOCUMENT_ENCRYPTED", "The document is protected by a password.");
  return documentError("DOCUMENT_UNSUPPORTED", "The file is in an Office format from before 2007 under a newer name.", {
    action: "Save it as DOCX, XLSX or PPTX, and sync again.",
  });
}
