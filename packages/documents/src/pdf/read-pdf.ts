import { getDocumentProxy } from "unpdf";
import { documentError } from "../document-errors.ts";
import { attachmentName } from "../formats/mail.ts";
import type { ParseLimits } from "../limits.ts";
import type { Part } from "../nested-parts.ts";
import { type PlacedAnnotations, placeAnnotations, readAnnotations } from "./annotations.ts";
import { pageList } from "./page-list.ts";
import { type Run, type Segment, toSegments } from "./segments.ts";

export type PdfPage = {
  page: number;
  width: number;
  height: number;
  /** What it prints, and what was filled into it. */
  segments: Segment[];
  /** What it prints by itself. */
  printed: string;
  /** What was noted on it. */
  notes: string[];
  /** Notes, and what was filled in as it is said without the page around it. */
  annotations: string[];
  /** Its text runs across the page as it is shown, and the segments' places are those of the page turned upright. */
  isTurned: boolean;
};
export type OutlineItem = { title: string; level: number };
export type PdfText = {
  title: string | null;
  outline: OutlineItem[];
  pages: PdfPage[];
  /** What is attached to the document as a whole: the e-mails of a portfolio, an invoice's data. */
  files: Part[];
  warnings: string[];
};

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;
type Page = Awaited<ReturnType<Pdf["getPage"]>>;
type TextItem = { str: string; dir: string; width: number; transform: number[]; fontName: string };
type Font = { bold: boolean; mono: boolean };

/**
 * A PDF's text with its places, with what was filled into its forms and noted on its pages. Nothing but the given bytes
 * is read; scripts and forms are not run.
 *
 * @throws AnnealError DOCUMENT_ENCRYPTED when it asks for a password, DOCUMENT_DAMAGED when it is cut off or no page can be read.
 */
export async function readPdf(bytes: Uint8Array, limits: ParseLimits): Promise<PdfText> {
  // Every complete PDF ends with where its index starts; a file without it lost its end on the way.
  const tail = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .subarray(-64 * 1024)
    .toString("latin1");
  if (!tail.includes("startxref")) throw documentError("DOCUMENT_DAMAGED", "The PDF is cut off: its end is missing.");
  const pdf = await open(bytes);
  try {
    const warnings: string[] = [];
    const pages: PdfPage[] = [];
    const unreadable: number[] = [];
    const unannotated: number[] = [];
    const fonts = new Map<string, Font>();
    let turned = 0;
    const count = Math.min(pdf.numPages, limits.maxPages);
    for (let number = 1; number <= count; number += 1) {
      try {
        const page = await pdf.getPage(number);
        const { runs, left, quarter } = await readRuns(page, fonts);
        turned += left;
        const viewport = page.getViewport({ scale: 1 });
        const annotations = await annotationsOf(page, runs, quarter).catch(() => null);
        if (annotations === null) unannotated.push(number);
        pages.push({
          page: number,
          width: viewport.width,
          height: viewport.height,
          segments: toSegments([...runs, ...(annotations?.runs ?? [])]),
          printed: runs.map((run) => run.text).join(" "),
          notes: annotations?.notes ?? [],
          annotations: annotations?.texts ?? [],
          isTurned: quarter !== 0,
        });
        page.cleanup();
      } catch (error) {
        if (error instanceof RangeError) throw error;
        unreadable.push(number);
      }
    }
    if (pages.length === 0) throw documentError("DOCUMENT_DAMAGED", "None of the PDF's pages can be read.");
    if (unreadable.length > 0) warnings.push(`${pageList(unreadable)} could not be read.`);
    if (unannotated.length > 0)
      warnings.push(`What was filled into or noted on ${pageList(unannotated).toLowerCase()} could not be read.`);
    if (pdf.numPages > count) warnings.push(`Kept the first ${count} of ${pdf.numPages} pages.`);
    if (turned > 0)
      warnings.push("Text that is turned against the rest of its page (stamps, watermarks, axis labels) was left out.");
    const files = await readFiles(pdf, limits).catch(() => {
      warnings.push("The files that are attached to it could not be read.");
      return [];
    });
    return { title: await readTitle(pdf), outline: await readOutline(pdf), pages, files, warnings };
  } finally {
    await pdf.loadingTask.destroy();
  }
}

async function open(bytes: Uint8Array): Promise<Pdf> {
  try {
    // pdf.js takes the buffer over, hence the copy.
    return await getDocumentProxy(new Uint8Array(bytes), {
      verbosity: 0,
      disableFontFace: true,
      useSystemFonts: false,
      enableXfa: false,
      disableAutoFetch: true,
      // Pictures are never decoded.
      maxImageSize: 1,
    });
  } catch (error) {
    const { name = "", message = "" } = error instanceof Error ? error : {};
    if (name === "PasswordException") {
      throw documentError("DOCUMENT_ENCRYPTED", "The PDF is protected by a password.", {
        cause: error,
      });
    }
    throw documentError("DOCUMENT_DAMAGED", `The PDF cannot be opened (${message.slice(0, 120)}).`, { cause: error });
  }
}

async function readRuns(page: Page, fonts: Map<string, Font>): Promise<{ runs: Run[]; left: number; quarter: number }> {
  const content = await page.getTextContent();
  const items = content.items.filter((item): item is typeof item & TextItem => "str" in item);
  await readFonts(page, new Set(items.map((item) => item.fontName)), content.styles, fonts);

  const viewport = page.getViewport({ scale: 1 });
  const placed = items.map((item) => ({
    item,
    place: multiply(viewport.transform, item.transform),
  }));
  const quarter = commonQuarter(placed);
  const runs: Run[] = [];
  let spaced = false;
  let left = 0;
  for (const { item, place } of placed) {
    if (item.str.trim() === "") {
      spaced ||= item.str !== "";
      continue;
    }
    if (quarterOf(place) !== quarter) {
      left += 1;
      continue;
    }
    const size = Math.hypot(place[2]!, place[3]!);
    const [x, y] = turn(place[4]!, place[5]!, quarter, viewport);
    const font = fonts.get(item.fontName) ?? { bold: false, mono: false };
    runs.push({
      text: item.str,
      x,
      right: x + item.width,
      y,
      size,
      ...font,
      rtl: item.dir === "rtl",
      spaced,
    });
    spaced = false;
  }
  return { runs, left, quarter };
}

async function annotationsOf(page: Page, printed: readonly Run[], quarter: number): Promise<PlacedAnnotations> {
  const viewport = page.getViewport({ scale: 1 });
  return placeAnnotations(await readAnnotations(page), printed, ([x1 = 0, y1 = 0, x2 = 0, y2 = 0]) => {
    const corners = [[x1, y1] as const, [x2, y2] as const].map(([x, y]) => {
      const place = multiply(viewport.transform, [1, 0, 0, 1, x, y]);
      return turn(place[4]!, place[5]!, quarter, viewport);
    });
    const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
    return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
  });
}

/** Font names are known only once the page's drawing operations were read: that is done for pages with a new font. */
async function readFonts(
  page: Page,
  names: ReadonlySet<string>,
  styles: Record<string, { fontFamily: string }>,
  fonts: Map<string, Font>,
): Promise<void> {
  if ([...names].every((name) => fonts.has(name))) return;
  await page.getOperatorList().catch(() => null);
  for (const name of names) {
    const font = page.commonObjs.has(name)
      ? (page.commonObjs.get(name) as { name?: string; bold?: boolean; black?: boolean } | null)
      : null;
    const family = font?.name ?? "";
    fonts.set(name, {
      bold: font?.bold === true || font?.black === true || /bold|black|heavy|demi/iu.test(family),
      mono: styles[name]?.fontFamily === "monospace" || /mono|courier|consolas|menlo/iu.test(family),
    });
  }
}

type Matrix = readonly number[];

function multiply(a: Matrix, b: Matrix): number[] {
  const [a0 = 1, a1 = 0, a2 = 0, a3 = 1, a4 = 0, a5 = 0] = a;
  const [b0 = 1, b1 = 0, b2 = 0, b3 = 1, b4 = 0, b5 = 0] = b;
  return [
    a0 * b0 + a2 * b1,
    a1 * b0 + a3 * b1,
    a0 * b2 + a2 * b3,
    a1 * b2 + a3 * b3,
    a0 * b4 + a2 * b5 + a4,
    a1 * b4 + a3 * b5 + a5,
  ];
}

/** Writing direction in quarter turns, 0 for left to right; null for anything oblique. */
function quarterOf(place: Matrix): number | null {
  const turns = Math.atan2(place[1]!, place[0]!) / (Math.PI / 2);
  const nearest = Math.round(turns);
  return Math.abs(turns - nearest) < 0.1 ? (nearest + 4) % 4 : null;
}

/** The direction of most of the page's letters: a landscape table on a portrait page is read as it was meant. */
function commonQuarter(placed: readonly { item: TextItem; place: Matrix }[]): number {
  const letters = [0, 0, 0, 0];
  for (const { item, place } of placed) {
    const quarter = quarterOf(place);
    if (quarter !== null) letters[quarter]! += item.str.length;
  }
  return letters.indexOf(Math.max(...letters));
}

function turn(x: number, y: number, quarter: number, page: { width: number; height: number }): [number, number] {
  if (quarter === 1) return [y, page.width - x];
  if (quarter === 2) return [page.width - x, page.height - y];
  if (quarter === 3) return [page.height - y, x];
  return [x, y];
}

/** With their bytes, as far as they are wanted: the PDF is closed before they are read. */
async function readFiles(pdf: Pdf, limits: ParseLimits): Promise<Part[]> {
  const files: Part[] = [];
  for (const [id, { filename }] of (await pdf.getAttachments()) ?? []) {
    const isWanted = files.length < limits.maxAttachments;
    const bytes = isWanted ? await pdf.getAttachmentContent(id).catch(() => null) : null;
    const read = () => {
      if (bytes === null) throw documentError("DOCUMENT_DAMAGED", "It is not in the PDF, or cannot be unpacked.");
      return bytes;
    };
    files.push({
      name: attachmentName(filename) || `attachment-${files.length + 1}`,
      sizeBytes: bytes?.length ?? 0,
      read,
    });
  }
  return files;
}

async function readTitle(pdf: Pdf): Promise<string | null> {
  const { info } = await pdf.getMetadata().catch(() => ({ info: {} }));
  const title = String((info as Record<string, unknown>)["Title"] ?? "")
    .replace(/\s+/gu, " ")
    .trim();
  // What word processors and printer drivers put there when nobody named the document.
  const isNoise =
    title === "" ||
    /^(?:\(?anonymous\)?|untitled|document\d*|microsoft \w+ - .*)$|\.(?:docx?|pptx?|xlsx?|indd|tex|pdf)$/iu.test(title);
  return isNoise ? null : title;
}

type OutlineNode = { title: string; items: OutlineNode[] };

async function readOutline(pdf: Pdf): Promise<OutlineItem[]> {
  const roots: OutlineNode[] = (await pdf.getOutline().catch(() => null)) ?? [];
  const items: OutlineItem[] = [];
  const add = (nodes: readonly OutlineNode[], level: number) => {
    for (const node of nodes) {
      if (items.length >= 5_000) return;
      items.push({ title: node.title, level });
      if (level < 6) add(node.items, level + 1);
    }
  };
  add(roots, 1);
  return items;
}
