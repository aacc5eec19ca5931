import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createIsomorphicCanvasFactory, definePDFJSModule, getDocumentProxy, getResolvedPDFJS } from "unpdf";
import type { ParseLimits } from "../limits.ts";

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;
type Page = Awaited<ReturnType<Pdf["getPage"]>>;

type RenderTarget = Parameters<Page["render"]>[0]["canvas"];

type RenderedPage = {
  /** Null where the page shows nothing, or less of a picture than was asked for. */
  png: Buffer | null;
  dpi: number;
  /** Pictures in it that could not be decoded. */
  missingPictures: number;
};

/** What Tesseract was trained on. */
const wantedDpi = 300;
const pointsPerInch = 72;
/** One picture may have as many points as fit in half of a renderer's memory. */
const maxImagePixels = 100_000_000;

/** @throws where the PDF cannot be opened: whoever reads its text has said so before */
export async function openForRendering(bytes: Uint8Array): Promise<Pdf> {
  const decoders = await useDecoders();
  const CanvasFactory = await createIsomorphicCanvasFactory(() => import("@napi-rs/canvas"));
  return getDocumentProxy(bytes, {
    CanvasFactory,
    verbosity: 0,
    disableFontFace: true,
    useSystemFonts: false,
    enableXfa: false,
    disableAutoFetch: true,
    isOffscreenCanvasSupported: false,
    maxImageSize: maxImagePixels,
    ...decoders,
  });
}

/**
 * The build of pdf.js that unpdf carries has no decoders for fax (CCITT), JBIG2 and JPEG 2000, in which scanners store
 * pages; pdf.js itself has, and is taken where it is installed.
 */
async function useDecoders(): Promise<{ wasmUrl?: string }> {
  let module: string;
  try {
    module = import.meta.resolve("pdfjs-dist/legacy/build/pdf.mjs");
  } catch {
    return {};
  }
  await definePDFJSModule(() => import(module) as ReturnType<Parameters<typeof definePDFJSModule>[0]>);
  // Read from the disk, by a path and not by a URL.
  return { wasmUrl: join(dirname(fileURLToPath(module)), "../../wasm/") };
}

/**
 * Draws one page as a picture for OCR.
 *
 * @param number from 1
 * @param leastPicture share of the page that pictures must fill for it to be drawn, 0 to 1
 */
export async function renderPage(
  pdf: Pdf,
  number: number,
  leastPicture: number,
  limits: Pick<ParseLimits, "maxPagePixels">,
): Promise<RenderedPage> {
  const page = await pdf.getPage(number);
  try {
    const { width, height } = page.getViewport({ scale: 1 });
    const finest = Math.sqrt(limits.maxPagePixels / Math.max(1, width * height));
    const scale = Math.min(wantedDpi / pointsPerInch, finest);
    const dpi = scale * pointsPerInch;
    const { isBlank, pictureShare, missingPictures } = await inspect(page, width * height);
    if (isBlank || pictureShare < leastPicture) return { png: null, dpi, missingPictures };
    const viewport = page.getViewport({ scale });
    const { createCanvas } = await import("@napi-rs/canvas");
    const canvas = createCanvas(Math.max(1, Math.floor(viewport.width)), Math.max(1, Math.floor(viewport.height)));
    // As far as pdf.js uses it, it is a browser's.
    await page.render({ canvas: canvas as unknown as RenderTarget, viewport, background: "white" }).promise;
    return { png: await canvas.encode("png"), dpi, missingPictures };
  } finally {
    page.cleanup();
  }
}

/** Whether the page paints anything, and the share of it that pictures fill. */
async function inspect(
  page: Page,
  area: number,
): Promise<{ isBlank: boolean; pictureShare: number; missingPictures: number }> {
  const { OPS } = await getResolvedPDFJS();
  const { fnArray, argsArray } = await page.getOperatorList();
  const pictures = new Set<number>([
    OPS.paintImageXObject,
    OPS.paintInlineImageXObject,
    OPS.paintImageMaskXObject,
    OPS.paintImageXObjectRepeat,
    OPS.paintImageMaskXObjectRepeat,
    OPS.paintInlineImageXObjectGroup,
    OPS.paintImageMaskXObjectGroup,
    OPS.paintSolidColorImageMask,
  ]);
  const paints = new Set<number>([...pictures, OPS.constructPath, OPS.shadingFill, OPS.showText, OPS.rawFillPath]);
  const sizes: number[] = [];
  let size = 1;
  let isBlank = true;
  let painted = 0;
  let missingPictures = 0;
  for (const [index, operation] of fnArray.entries()) {
    const values: unknown = argsArray[index];
    if (operation === OPS.save) sizes.push(size);
    else if (operation === OPS.restore || operation === OPS.paintFormXObjectEnd) size = sizes.pop() ?? size;
    else if (operation === OPS.transform) size *= areaOf(values);
    else if (operation === OPS.paintFormXObjectBegin) {
      sizes.push(size);
      size *= areaOf(Array.isArray(values) ? values[0] : null);
    }
    if (!paints.has(operation)) continue;
    isBlank = false;
    if (!pictures.has(operation)) continue;
    painted += size;
    const id: unknown = Array.isArray(values) ? values[0] : null;
    if (operation === OPS.paintImageXObject && typeof id === "string" && (await pictureOf(page, id)) === null) {
      missingPictures += 1;
    }
  }
  return { isBlank, pictureShare: area > 0 ? Math.min(1, painted / area) : 0, missingPictures };
}

/** How much larger a transformation makes an area. */
function areaOf(matrix: unknown): number {
  if (!Array.isArray(matrix) && !ArrayBuffer.isView(matrix)) return 1;
  const [a = 1, b = 0, c = 0, d = 1] = [...(matrix as ArrayLike<number> & Iterable<number>)];
  return Math.abs(a * d - b * c);
}

/** Null where it could not be decoded. */
function pictureOf(page: Page, id: string): Promise<unknown> {
  const objects = id.startsWith("g_") ? page.commonObjs : page.objs;
  return new Promise((resolve) => {
    objects.get(id, resolve);
  });
}
