import { appendAll } from "../append-all.ts";
import type { ParseLimits } from "../limits.ts";
import { tableDrafts } from "../gfm-table.ts";
import { oncePerPart } from "../once-per-part.ts";
import type { OoxmlPackage } from "../ooxml-package.ts";
import { boxOf } from "../page-box.ts";
import type { Draft, Parsed } from "../sections.ts";
import { type XmlElement, descendantsOf, elementOf, elementsOf, textOf } from "../xml-tree.ts";
import { framesOf } from "./pptx-frames.ts";
import { readSlideComments } from "./pptx-comments.ts";
import { furniture, isTitle, placeholderOf, readPlaceholders } from "./pptx-placeholders.ts";
import { type RunningLine, runningDrafts } from "./running-lines.ts";

/**
 * Presentations in the order in which they are shown: title, bodies, tables, notes and comments of each slide; page is the slide.
 * What slides have as footers stands at the end.
 */
export function parsePptx(office: OoxmlPackage, limits: ParseLimits): Parsed {
  const targets = office.relationships(office.mainPart);
  const saidBeside = { notes: oncePerPart((part) => readNotes(office, part)), comments: readSlideComments(office) };
  const drafts: Draft[] = [];
  const footers: RunningLine[] = [];
  const warnings: string[] = [];
  const presentation = office.tree(office.mainPart);
  const slideSize = elementOf(presentation, "sldSz")?.attributes;
  const size = { width: Number(slideSize?.["cx"]), height: Number(slideSize?.["cy"]) };
  const deck = { office, saidBeside, size, placeholders: readPlaceholders(office), limits };
  const slides = elementsOf(elementOf(presentation, "sldIdLst"), "sldId");
  slides.forEach((reference, index) => {
    const partName = targets.find((relationship) => relationship.id === reference.attributes["r:id"])?.target;
    const slide = partName === undefined ? undefined : office.tree(partName);
    const page = index + 1;
    if (partName === undefined || slide === undefined) {
      warnings.push(`Slide ${page} is missing from the file.`);
    } else if (/^(?:0|false)$/u.test(slide.attributes["show"] ?? "")) {
      warnings.push(`The hidden slide ${page} was left out.`);
    } else {
      appendAll(drafts, readSlide(deck, partName, slide, page));
      appendAll(footers, footersOf(slide));
    }
  });
  appendAll(drafts, runningDrafts(footers));
  const title = drafts.find((draft) => draft.kind === "title")?.text ?? office.title;
  return { title: title ?? null, drafts, warnings: [...office.warnings, ...warnings] };
}

/** What is said beside slides, by the part that says it. */
type SaidBeside = { notes(part: string): Draft[]; comments(part: string): Draft[] };

type Deck = {
  office: OoxmlPackage;
  saidBeside: SaidBeside;
  /** Of its slides, in EMU; not a number where the file does not say it. */
  size: { width: number; height: number };
  placeholders: ReturnType<typeof readPlaceholders>;
  limits: ParseLimits;
};

function readSlide(deck: Deck, partName: string, slide: XmlElement, page: number): Draft[] {
  const { office, saidBeside, size, placeholders } = deck;
  const tree = elementOf(slide, "cSld", "spTree");
  const shapes = shapesOf(tree);
  const frames = framesOf(tree, placeholders(partName));
  const placed = (shape: XmlElement, drafts: readonly Draft[]) => {
    const frame = frames.get(shape);
    const box = frame === undefined ? null : boxOf(frame, size);
    return box === null ? drafts : drafts.map((draft) => ({ ...draft, box }));
  };
  const titleShape = shapes.find((shape) => isTitle(typeOf(shape)) && linesOf(shape).length > 0);
  const drafts: Draft[] = [];
  if (titleShape !== undefined) {
    const text = linesOf(titleShape)
      .map((line) => line.text)
      .join(" ");
    // The first slide's centred title is the presentation's.
    const kind = page === 1 && typeOf(titleShape) === "ctrTitle" ? "title" : "heading";
    appendAll(drafts, placed(titleShape, [{ kind, text, level: 1 }]));
  }
  const targets = office.relationships(partName);
  for (const shape of shapes) {
    if (shape === titleShape || furniture.has(typeOf(shape))) continue;
    appendAll(drafts, placed(shape, readShape(deck, targets, shape)));
  }
  const partsOf = (type: string) => targets.flatMap((target) => (target.type === type ? [target.target] : []));
  appendAll(drafts, partsOf("notesSlide").slice(0, 1).flatMap(saidBeside.notes));
  appendAll(drafts, partsOf("comments").flatMap(saidBeside.comments));
  return drafts.map((draft) => ({ ...draft, page }));
}

function readNotes(office: OoxmlPackage, part: string): Draft[] {
  const root = office.beside("Speaker notes", () => office.tree(part));
  return shapesOf(elementOf(root, "cSld", "spTree"))
    .filter((shape) => typeOf(shape) === "body")
    .flatMap((shape) => textDrafts(linesOf(shape), false))
    .map((draft) => ({ ...draft, container: "Speaker notes" }));
}

function footersOf(slide: XmlElement): RunningLine[] {
  return shapesOf(elementOf(slide, "cSld", "spTree"))
    .filter((shape) => typeOf(shape) === "ftr")
    .flatMap(linesOf)
    .map(({ text }) => ({ kind: "footer", text }));
}

/** The shapes of a slide in their order, groups opened. */
function shapesOf(tree: XmlElement | undefined): XmlElement[] {
  return elementsOf(tree).flatMap((shape) => {
    if (shape.name === "grpSp") return shapesOf(shape);
    // Newer features come with a fallback; the first choice is what a current PowerPoint shows.
    if (shape.name === "AlternateContent") return shapesOf(elementOf(shape, "Choice") ?? elementOf(shape, "Fallback"));
    const properties = elementsOf(shape).find((child) => child.name.startsWith("nv"));
    if (elementOf(properties, "cNvPr")?.attributes["hidden"] === "1") return [];
    return ["sp", "graphicFrame", "pic"].includes(shape.name) ? [shape] : [];
  });
}

/** Of a placeholder; "" for other shapes. */
function typeOf(shape: XmlElement): string {
  return placeholderOf(shape)?.type ?? "";
}

function readShape({ office, limits }: Deck, targets: { id: string; target: string }[], shape: XmlElement): Draft[] {
  if (shape.name === "pic") {
    const text = elementOf(shape, "nvPicPr", "cNvPr")?.attributes["descr"]?.replace(/\s+/gu, " ").trim() ?? "";
    return text === "" ? [] : [{ kind: "figure", text }];
  }
  if (shape.name === "graphicFrame") {
    const data = elementOf(shape, "graphic", "graphicData");
    const table = elementOf(data, "tbl");
    if (table !== undefined) return readTable(table, limits);
    const diagram = elementOf(data, "relIds")?.attributes["r:dm"];
    const part = targets.find((relationship) => relationship.id === diagram)?.target;
    if (part !== undefined) return diagramDrafts(office.beside("A diagram", () => office.tree(part)));
    const chart = elementOf(data, "chart")?.attributes["r:id"];
    const chartPart = targets.find((relationship) => relationship.id === chart)?.target;
    return chartPart === undefined
      ? []
      : chartDrafts(
          office.beside("A chart", () => office.tree(chartPart)),
          limits,
        );
  }
  return textDrafts(linesOf(shape), ["body", "obj"].includes(typeOf(shape)));
}

type Line = { text: string; level: number; bullet: "none" | "character" | "number" | "inherited" };

function linesOf(shape: XmlElement): Line[] {
  return elementsOf(elementOf(shape, "txBody"), "p").flatMap((paragraph) => {
    const properties = elementOf(paragraph, "pPr");
    const has = (name: string) => elementOf(properties, name) !== undefined;
    const bullet = has("buNone")
      ? "none"
      : has("buAutoNum")
        ? "number"
        : has("buChar") || has("buBlip")
          ? "character"
          : "inherited";
    const text = paragraphText(paragraph);
    return text === "" ? [] : [{ text, level: Number(properties?.attributes["lvl"] ?? 0), bullet }];
  });
}

function paragraphText(paragraph: XmlElement): string {
  return elementsOf(paragraph)
    .map((part) =>
      // Formulas ("m") keep their letters, one after the other.
      part.name === "br"
        ? " "
        : part.name === "r" || part.name === "fld"
          ? textOf(elementOf(part, "t"))
          : part.name === "m"
            ? textOf(part)
            : part.name === "AlternateContent"
              ? paragraphText(elementOf(part, "Choice") ?? elementOf(part, "Fallback") ?? part)
              : "",
    )
    .join("")
    .replace(/\s+/gu, " ")
    .trim();
}

/** @param isBody whether the layout gives this shape bullets; several lines of it are then a list. */
function textDrafts(lines: readonly Line[], isBody: boolean): Draft[] {
  const isItem = (line: Line) =>
    line.bullet === "character" ||
    line.bullet === "number" ||
    (line.bullet === "inherited" && isBody && lines.length > 1);
  const drafts: Draft[] = [];
  let wasItem = false;
  let number = 0;
  for (const line of lines) {
    if (!isItem(line)) {
      drafts.push({ kind: "paragraph", text: line.text });
    } else {
      number = line.bullet === "number" && line.level === 0 ? number + 1 : line.bullet === "number" ? number : 0;
      const text = `${"  ".repeat(line.level)}${line.bullet === "number" && line.level === 0 ? `${number}.` : "-"} ${line.text}`;
      const last = drafts[drafts.length - 1];
      if (wasItem && last !== undefined) last.text += `\n${text}`;
      else drafts.push({ kind: "list", text });
    }
    wasItem = isItem(line);
  }
  return drafts;
}

function readTable(table: XmlElement, limits: ParseLimits): Draft[] {
  const rows: string[][] = [];
  for (const row of elementsOf(table, "tr")) {
    rows.push(
      elementsOf(row, "tc").map((cell, column) => {
        // A cell merged over several rows stands in each of them; one over several columns stands once.
        if (cell.attributes["vMerge"] === "1") return rows[rows.length - 1]?.[column] ?? "";
        return elementsOf(elementOf(cell, "txBody"), "p").map(paragraphText).join(" ");
      }),
    );
  }
  return tableDrafts(rows, limits);
}

/** SmartArt: the texts of its points. */
function diagramDrafts(data: XmlElement | undefined): Draft[] {
  const points = elementsOf(elementOf(data, "ptLst"), "pt").map((point) =>
    elementsOf(elementOf(point, "t"), "p")
      .map(paragraphText)
      .filter((text) => text !== "")
      .join(" "),
  );
  const lines = points.filter((text) => text !== "").map((text) => `- ${text}`);
  return lines.length === 0 ? [] : [{ kind: "list", text: lines.join("\n") }];
}

/** A chart's title and the values that it was drawn from, as a table: categories down, series across. */
function chartDrafts(space: XmlElement | undefined, limits: ParseLimits): Draft[] {
  const chart = elementOf(space, "chart");
  const title = descendantsOf(elementOf(chart, "title"), "p").map(paragraphText).join(" ").trim();
  const series = descendantsOf(elementOf(chart, "plotArea"), "ser");
  const categories = pointsOf(elementOf(series[0], "cat") ?? elementOf(series[0], "xVal"));
  const columns = series.map((one) => ({
    name: pointsOf(elementOf(one, "tx")).get(0) ?? "",
    values: pointsOf(elementOf(one, "val") ?? elementOf(one, "yVal")),
  }));
  const numbers = new Set([categories, ...columns.map(({ values }) => values)].flatMap((points) => [...points.keys()]));
  const rows = [...numbers]
    .toSorted((a, b) => a - b)
    .map((number) => [categories.get(number) ?? "", ...columns.map(({ values }) => values.get(number) ?? "")]);
  const table = rows.length === 0 ? [] : tableDrafts([["", ...columns.map(({ name }) => name)], ...rows], limits);
  return [...(title === "" ? [] : [{ kind: "figure", text: title } as const]), ...table];
}

/** By their number, as a file has them in order; it may leave out points that say nothing. */
function pointsOf(reference: XmlElement | undefined): Map<number, string> {
  const points = new Map<number, string>();
  for (const point of descendantsOf(reference, "pt")) {
    points.set(Number(point.attributes["idx"] ?? points.size), textOf(elementOf(point, "v")).trim());
  }
  return points;
}
