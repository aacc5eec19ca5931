import type { ParsedDocument } from "@anneal/core/document/element";
import type { AnnealError } from "@anneal/core/errors";
import { countOf, documentError } from "../document-errors.ts";
import type { ParseLimits } from "../limits.ts";
import type { Scans } from "../sections.ts";
import { pageList } from "./page-list.ts";

/** A PDF as far as it was read, and the pages that are left for OCR. */
export type ParsedWithScans = { document: ParsedDocument; scans: Scans | null };

/**
 * The document without the text of its scans, which a warning tells.
 *
 * @param reason why they cannot be recognised; null where nobody tries to
 * @throws AnnealError DOCUMENT_UNSUPPORTED when no page has text and nothing was filled in, noted or attached: the reason
 *   itself, where there is one
 */
export function withoutScans({ document, scans }: ParsedWithScans, reason: AnnealError | null): ParsedDocument {
  if (scans === null || scans.unreadable.length === 0) return document;
  const { unreadable, pageCount } = scans;
  if (unreadable.length === pageCount && scans.annotations.length === 0 && !bringsFiles(document)) {
    throw (
      reason ??
      documentError(
        "DOCUMENT_UNSUPPORTED",
        "The PDF holds no text that can be read: its pages are images (a scan), or its fonts do not say which letters they draw. It needs OCR.",
        {
          action: "Save it with a text layer (OCR) at the source, and sync again.",
          details: { pages: pageCount },
        },
      )
    );
  }
  const holds = `${pageList(unreadable)} hold${unreadable.length === 1 ? "s" : ""} no text that can be read`;
  const warning =
    reason === null
      ? `${holds} (blank, or a scan that needs OCR).`
      : `${holds}, and no text could be recognised: ${reason.message} ${reason.action}`;
  return { ...document, warnings: [...document.warnings, warning] };
}

/** Whether it holds elements of files that are attached to it, which stand on none of its pages. */
export function bringsFiles(document: ParsedDocument): boolean {
  return document.elements.some(({ page }) => page === undefined);
}

/**
 * What is left of a file inside a document whose scanned pages are used up.
 *
 * @param pdf null for a picture
 * @throws AnnealError DOCUMENT_TOO_LARGE for a picture, which has nothing else
 */
export function beyondScannedPages(
  pdf: { document: ParsedDocument; scans: Scans } | null,
  limits: Pick<ParseLimits, "maxScannedPages">,
): ParsedDocument {
  if (pdf === null) {
    const pages = countOf(limits.maxScannedPages, "scanned page");
    throw documentError("DOCUMENT_TOO_LARGE", `It is beyond the first ${pages} of the whole document.`);
  }
  const { document, scans } = pdf;
  const pages = scans.unreadable.toSorted((a, b) => a - b);
  return { ...document, warnings: [...document.warnings, ...beyondWarnings(pages, limits)] };
}

export function beyondWarnings(
  pages: readonly number[],
  { maxScannedPages }: Pick<ParseLimits, "maxScannedPages">,
): string[] {
  if (pages.length === 0) return [];
  const [are, were] = pages.length === 1 ? ["is", "was"] : ["are", "were"];
  return [`${pageList(pages)} ${are} beyond the first ${maxScannedPages} scanned pages and ${were} left out.`];
}
