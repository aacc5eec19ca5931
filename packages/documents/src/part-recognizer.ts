import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ParsedDocument } from "@anneal/core/document/element";
import { documentError } from "./document-errors.ts";
import type { ParseLimits } from "./limits.ts";
import { readImageKind } from "./ocr/image-signatures.ts";
import type { TextRecognizer } from "./ocr/text-recognizer.ts";
import type { ScannedPartMessage } from "./parser-messages.ts";
import type { ScanReader } from "./pdf/scan-reader.ts";
import { beyondScannedPages } from "./pdf/scans.ts";

/**
 * Recognises the text of the files inside one document (an e-mail's attachments, an archive's members) as if each stood
 * alone: each picture and page has the same bounds on its time and memory, and all of them together have the scanned
 * pages that one document may have. A picture counts as one.
 */
export class PartRecognizer {
  private readonly readers: { recognizer: TextRecognizer; scans: ScanReader };
  private readonly limits: ParseLimits;
  private readonly signal: AbortSignal;
  private pagesLeft: number;

  constructor(readers: { recognizer: TextRecognizer; scans: ScanReader }, limits: ParseLimits, signal: AbortSignal) {
    this.readers = readers;
    this.limits = limits;
    this.signal = signal;
    this.pagesLeft = limits.maxScannedPages;
  }

  /**
   * @param part as a child sent it, which has read hostile bytes: what the picture is, its bytes say once more
   * @throws AnnealError as `TextRecognizer.recognize` and `ScanReader.read`; as `beyondScannedPages` when the document
   *   has no page left
   */
  async recognize({ bytes, pdf, maxTextLength }: ScannedPartMessage): Promise<ParsedDocument> {
    if (this.pagesLeft === 0) return beyondScannedPages(pdf, this.limits);
    const folder = await mkdtemp(join(tmpdir(), "anneal-part-"));
    try {
      const path = join(folder, "part");
      await writeFile(path, bytes, "base64");
      if (pdf === null) return await this.readPicture(path);
      const pages = Math.min(this.pagesLeft, pdf.scans.unreadable.length + pdf.scans.sparse.length);
      this.pagesLeft -= pages;
      const limits = { ...this.limits, maxTextLength };
      return await this.readers.scans.read(path, pdf.document, pdf.scans, limits, this.signal, pages);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  private async readPicture(path: string): Promise<ParsedDocument> {
    const kind = await readImageKind(path);
    if (kind === null) throw documentError("DOCUMENT_DAMAGED", "The picture begins like none that is known.");
    this.pagesLeft -= 1;
    return this.readers.recognizer.recognize(path, kind, this.signal);
  }
}
