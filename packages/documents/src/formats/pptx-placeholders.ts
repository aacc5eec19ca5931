import { oncePerPart } from "../once-per-part.ts";
import type { OoxmlPackage } from "../ooxml-package.ts";
import type { Edges } from "../page-box.ts";
import { type XmlElement, elementOf, elementsOf } from "../xml-tree.ts";
import { type FrameOf, framesOf } from "./pptx-frames.ts";

/** Types of those that repeat on every slide. */
export const furniture: ReadonlySet<string> = new Set(["dt", "ftr", "sldNum", "hdr"]);

export type Placeholder = { type: string; index: string };

/** What a slide, a layout or a master has of placeholders, and where each stands: null where that cannot be told. */
type Sheet = { placeholder: Placeholder; frame: Edges | null }[];

/** ECMA-376-1, 19.3.1.36: what stands there where a file says nothing. */
export function placeholderOf(shape: XmlElement): Placeholder | null {
  const properties = elementsOf(shape).find((child) => child.name.startsWith("nv"));
  const attributes = elementOf(properties, "nvPr", "ph")?.attributes;
  return attributes === undefined ? null : { type: attributes["type"] ?? "obj", index: attributes["idx"] ?? "0" };
}

export function isTitle(type: string): boolean {
  return type === "title" || type === "ctrTitle";
}

/**
 * Where the placeholders of a slide stand that leave it to the slide's layout: the one there of the same number. Such a one may
 * leave it to the master in turn, which has one for each kind.
 *
 * @returns by a slide's part, in the slide's own unit (EMU)
 */
export function readPlaceholders(office: OoxmlPackage): (slidePart: string) => FrameOf {
  const masters = oncePerPart((part) => readSheet(office, part, () => null));
  const layouts = oncePerPart((part) => {
    const master = sheetOf(part, "slideMaster", masters);
    return readSheet(office, part, (shape) => frameIn(master, placeholderOf(shape), isOfKind));
  });
  const sheetOf = (part: string, type: string, read: (part: string) => Sheet): Sheet => {
    const above = office.relationships(part).find((relationship) => relationship.type === type);
    return above === undefined ? [] : read(above.target);
  };
  const sheetOfSlide = (slidePart: string) =>
    office.beside("Where a slide's placeholders stand", () => sheetOf(slidePart, "slideLayout", layouts)) ?? [];
  return (slidePart) => {
    const layout = sheetOfSlide(slidePart);
    return (shape) =>
      frameIn(layout, placeholderOf(shape), (one, other) => one.index === other.index && isOfKind(one, other));
  };
}

function readSheet(office: OoxmlPackage, part: string, inherited: FrameOf): Sheet {
  const tree = elementOf(office.tree(part), "cSld", "spTree");
  const frames = framesOf(tree, inherited);
  return elementsOf(tree).flatMap((shape) => {
    const placeholder = placeholderOf(shape);
    return placeholder === null ? [] : [{ placeholder, frame: frames.get(shape) ?? null }];
  });
}

function frameIn(
  sheet: Sheet,
  placeholder: Placeholder | null,
  matches: (one: Placeholder, other: Placeholder) => boolean,
): Edges | null {
  if (placeholder === null) return null;
  return sheet.find((other) => matches(other.placeholder, placeholder))?.frame ?? null;
}

function isOfKind(one: Placeholder, other: Placeholder): boolean {
  return kindOf(one) === kindOf(other);
}

/** A master has one for the title, one for whatever fills a slide, and one for each of those that repeat on every slide. */
function kindOf({ type }: Placeholder): string {
  if (isTitle(type)) return "title";
  return furniture.has(type) ? type : "body";
}
