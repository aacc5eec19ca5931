const MiB = 1024 * 1024;

/** What one document may cost. Beyond a limit on content the rest is left out with a warning; the others refuse. */
export type ParseLimits = {
  /** Size of the file itself; larger is refused. */
  maxBytes: number;
  /** What all parts of one archive (an Office file, a book, a ZIP, a tar.gz) may inflate to; more is refused as hostile. */
  maxInflatedBytes: number;
  /** Inflated divided by compressed size, for archives that inflate beyond 32 MiB. Office files stay below 100. */
  maxExpansionRatio: number;
  maxArchiveEntries: number;
  /** Files read of one archive (ZIP, tar); the rest is left out with a warning. */
  maxArchiveMembers: number;
  /** Nesting of XML elements inside an Office file; more is refused as hostile. */
  maxXmlDepth: number;
  /**
   * Columns that a cell which spans or repeats is spread over, at most: as many as a spreadsheet has. Cells that are written out
   * are all read, and so are rows, up to `maxTextLength`.
   */
  maxTableColumns: number;
  maxPages: number;
  /** Pages of a scanned PDF whose text is recognised; the rest is left out with a warning. */
  maxScannedPages: number;
  /** Points that a scanned page is drawn with, at most; a larger one is drawn less finely. A4 at 300 dpi has 8.7 million. */
  maxPagePixels: number;
  /** Characters of one document; more is refused. Of the files inside it the rest is left out with a warning. */
  maxTextLength: number;
  /** Attachments read of one e-mail, and how deep e-mails may sit in e-mails. */
  maxAttachments: number;
  maxAttachmentDepth: number;
};

export const defaultParseLimits: ParseLimits = {
  maxBytes: 100 * MiB,
  maxInflatedBytes: 512 * MiB,
  maxExpansionRatio: 200,
  maxArchiveEntries: 10_000,
  maxArchiveMembers: 1_000,
  maxXmlDepth: 256,
  maxTableColumns: 16_384,
  maxPages: 5_000,
  maxScannedPages: 500,
  maxPagePixels: 20_000_000,
  maxTextLength: 20_000_000,
  maxAttachments: 50,
  maxAttachmentDepth: 3,
};

/** Resident memory of the process that parses one document of the default size. */
export const defaultParserMemoryBytes = 1024 * MiB;

/**
 * For files of up to `maxBytes`: what they inflate to, and what it takes to read them, grow with it. A smaller limit takes
 * nothing away, as a small file may inflate as much.
 */
export function roomFor(maxBytes: number): {
  maxMemoryBytes: number;
  limits: Pick<ParseLimits, "maxBytes" | "maxInflatedBytes">;
} {
  const growth = Math.max(1, maxBytes / defaultParseLimits.maxBytes);
  return {
    maxMemoryBytes: growth * defaultParserMemoryBytes,
    limits: { maxBytes, maxInflatedBytes: growth * defaultParseLimits.maxInflatedBytes },
  };
}
