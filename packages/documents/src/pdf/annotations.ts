import type { getDocumentProxy } from "unpdf";
import { z } from "zod";
import type { Run } from "./segments.ts";

type Page = Awaited<ReturnType<Awaited<ReturnType<typeof getDocumentProxy>>["getPage"]>>;

/** Edges in points of the page as it is read, y counted from its top. */
type Edges = { left: number; top: number; right: number; bottom: number };

/** What was filled into a page or noted on it, which is no part of what the page itself prints. */
type Annotation = { rect: number[] } & (
  | { kind: "field"; mark: string | null; label: string | null; value: string | null }
  | { kind: "note"; author: string; text: string; isOnPage: boolean }
);

export type PlacedAnnotations = {
  /** What is shown on the page, at its place. */
  runs: Run[];
  /** What pops up when it is clicked on, and what is shown over the page's own text. */
  notes: string[];
  /** All of these as they are said without the page around them. */
  texts: string[];
};

/** PDF 32000-1, 12.5.3: hidden; not shown on a screen. */
const hiddenFlags = 0x02 | 0x20;
const noteKinds = new Set(
  "Text FreeText Line Square Circle Polygon PolyLine Highlight Underline Squiggly StrikeOut Stamp Caret Ink FileAttachment".split(
    " ",
  ),
);
const text = z.looseObject({ str: z.string() }).nullish();
const word = z.string().nullish();

/** As pdf.js gives them. */
const annotationSchema = z.looseObject({
  subtype: z.string(),
  annotationFlags: z.number().default(0),
  rect: z.array(z.number()).length(4),
  contentsObj: text,
  titleObj: text,
  textContent: z.array(z.string()).nullish(),
  /** Somebody's mark on another note, such as "Accepted". */
  stateModel: word,
  fieldType: word,
  fieldName: word,
  alternativeText: word,
  fieldValue: z.union([z.string(), z.array(z.string())]).nullish(),
  password: z.boolean().nullish(),
  checkBox: z.boolean().nullish(),
  radioButton: z.boolean().nullish(),
  exportValue: word,
  buttonValue: word,
  options: z.array(z.looseObject({ exportValue: word, displayValue: word })).nullish(),
});
type RawAnnotation = z.infer<typeof annotationSchema>;

/** Without what is hidden, what a password was typed into, and what says nothing. */
export async function readAnnotations(page: Page): Promise<Annotation[]> {
  const found: unknown[] = await page.getAnnotations({ intent: "display" });
  return found.flatMap((raw) => {
    const { data } = annotationSchema.safeParse(raw);
    if (data === undefined || (data.annotationFlags & hiddenFlags) !== 0) return [];
    const annotation = data.subtype === "Widget" ? toField(data) : toNote(data);
    return annotation === null ? [] : [annotation];
  });
}

function toNote(data: RawAnnotation): Annotation | null {
  if (!noteKinds.has(data.subtype) || (data.stateModel ?? "") !== "") return null;
  const said = tidy(data.contentsObj?.str || (data.textContent ?? []).join("\n"));
  if (said === "") return null;
  const isOnPage = data.subtype === "FreeText";
  return { kind: "note", author: tidy(data.titleObj?.str ?? ""), text: said, isOnPage, rect: data.rect };
}

function toField(data: RawAnnotation): Annotation | null {
  const label = labelOf(data);
  const field = (mark: string | null, value: string | null): Annotation => {
    return { kind: "field", mark, label, value, rect: data.rect };
  };
  const { fieldValue } = data;
  switch (data.fieldType) {
    case "Tx": {
      const value = data.password === true || typeof fieldValue !== "string" ? "" : tidy(fieldValue);
      return value === "" ? null : field(null, value);
    }
    case "Ch": {
      const chosen = (Array.isArray(fieldValue) ? fieldValue : [fieldValue ?? ""]).map(
        (value) => data.options?.find(({ exportValue }) => exportValue === value)?.displayValue ?? value,
      );
      const value = tidy(chosen.filter((one) => one !== "").join(", "));
      return value === "" ? null : field(null, value);
    }
    case "Btn": {
      const state = data.checkBox === true ? data.exportValue : data.radioButton === true ? data.buttonValue : null;
      if ((state ?? "") === "" || state === "Off" || fieldValue !== state) return null;
      return field("[x]", isTelling(state!) ? state! : null);
    }
    default:
      return null;
  }
}

/** What a form's author wrote for readers who do not see it, else the field's name where it is one that a person chose. */
function labelOf({ alternativeText, fieldName }: RawAnnotation): string | null {
  const told = tidy(alternativeText ?? "").replace(/\s*:$/u, "");
  if (told !== "") return told;
  const name = (fieldName ?? "")
    .split(".")
    .at(-1)!
    .replace(/\[\d+\]$/u, "")
    .replaceAll("_", " ")
    .trim();
  return isTelling(name) ? name : null;
}

/** "Text3", "f1_02[0]" and "Choice1" are a program's names. */
function isTelling(name: string): boolean {
  return /^\p{L}[\p{L} '-]+$/u.test(name) && !/^(?:yes|on|true|undefined|text ?field|check ?box|button)$/iu.test(name);
}

/** @param edgesOf where a rectangle of the PDF lies on the page as it is read */
export function placeAnnotations(
  annotations: readonly Annotation[],
  printed: readonly Run[],
  edgesOf: (rect: readonly number[]) => Edges,
): PlacedAnnotations {
  const placed: PlacedAnnotations = { runs: [], notes: [], texts: [] };
  if (annotations.length === 0) return placed;
  const size = usualSize(printed);
  const page = comparable(printed.map((run) => run.text).join(" "));
  const isPrinted = (said: string) => page.includes(comparable(said));
  const sorted = annotations
    .map((annotation) => ({ annotation, edges: edgesOf(annotation.rect) }))
    .toSorted((a, b) => a.edges.top - b.edges.top || a.edges.left - b.edges.left);
  for (const { annotation, edges } of sorted) {
    if (annotation.kind === "field") {
      const { mark, label, value } = annotation;
      const join = (named: string | null, said: string | null) =>
        [mark, [named, said].filter((part) => part !== null).join(": ")].filter(Boolean).join(" ");
      placed.texts.push(join(label, value));
      // Beside its printed label a value needs no other; a mark says the same as the words beside it.
      const named = label === null || isPrinted(label) ? null : label;
      const said = mark !== null && value !== null && isPrinted(value) ? null : value;
      placed.runs.push(...toRuns(join(named, said), edges, size));
      continue;
    }
    const { author, text: said, isOnPage } = annotation;
    // Some programs note down the words that somebody highlighted.
    if (!isOnPage && isPrinted(said)) continue;
    const note = `Note${author === "" ? "" : ` by ${author}`}: ${said}`;
    placed.texts.push(note);
    if (isOnPage && !printed.some((run) => isOver(edges, run))) placed.runs.push(...toRuns(said, edges, size));
    else placed.notes.push(note);
  }
  return placed;
}

/** In the size of the page's text, so that nothing that was filled in looks like a heading. */
function toRuns(said: string, { left, top, right, bottom }: Edges, size: number): Run[] {
  const texts = said.split("\n").filter((line) => line.trim() !== "");
  const step = Math.min(1.2 * size, (bottom - top) / texts.length);
  const first = texts.length === 1 ? (top + bottom) / 2 + 0.3 * size : top + 0.9 * step;
  return texts.map((line, index) => ({
    text: line.trim(),
    x: left,
    right,
    y: first + index * step,
    size,
    bold: false,
    mono: false,
    rtl: false,
    spaced: true,
  }));
}

/** Of most of the page's letters. */
function usualSize(runs: readonly Run[]): number {
  const letters = new Map<number, number>();
  for (const { size, text: said } of runs) letters.set(size, (letters.get(size) ?? 0) + said.length);
  return [...letters].reduce((most, entry) => (entry[1] > most[1] ? entry : most), [10, 0])[0];
}

function isOver({ left, top, right, bottom }: Edges, run: Run): boolean {
  return run.y > top && run.y - 0.5 * run.size < bottom && run.x < right && run.right > left;
}

function tidy(said: string): string {
  return said
    .replace(/\r\n?/gu, "\n")
    .replace(/[^\P{Cc}\n]/gu, " ")
    .replace(/[^\S\n]+/gu, " ")
    .trim();
}

export function comparable(said: string): string {
  return said
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}
