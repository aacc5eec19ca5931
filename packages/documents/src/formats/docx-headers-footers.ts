import { appendAll } from "../append-all.ts";
import type { OoxmlPackage } from "../ooxml-package.ts";
import { type XmlElement, elementOf, elementsOf, streamXml, textOf } from "../xml-tree.ts";
import { type RunningLine, type RunningPart, lineOf } from "./running-lines.ts";

type HeaderOrFooter = { kind: RunningLine["kind"]; part: string };

/** What a Word document prints on every page: its headers and footers, as far as they are shown. */
export function docxHeadersAndFooters(office: OoxmlPackage): RunningLine[] {
  const parts = office.beside("What is printed on every page", () => shownParts(office)) ?? [];
  return parts.flatMap(({ kind, part }) => {
    const root = office.beside(`A page ${kind}`, () => office.tree(part));
    return paragraphsIn(root).map((text) => ({ kind, text }));
  });
}

/** A file keeps what it printed once: the header of a first page that is like the others, of even pages that are like the odd. */
function shownParts(office: OoxmlPackage): HeaderOrFooter[] {
  const text = office.text(office.mainPart) ?? "";
  if (!/<w:(?:header|footer)Reference[\s/>]/u.test(text)) return [];
  const found: (HeaderOrFooter & { type: string })[] = [];
  const targets = new Map(office.relationships(office.mainPart).map(({ id, target }) => [id, target]));
  let hasFirst = false;
  let earlier = 0;
  streamXml(text, office.mainPart, {
    open(name, attributes) {
      // What a section was before somebody changed it.
      if (name === "sectPrChange") earlier += 1;
      if (earlier > 0) return;
      if (name === "titlePg") hasFirst ||= isOn(attributes);
      const kind = name === "headerReference" ? "header" : name === "footerReference" ? "footer" : null;
      const part = targets.get(attributes["r:id"] ?? "");
      if (kind !== null && part !== undefined) found.push({ kind, part, type: attributes["w:type"] ?? "default" });
    },
    text() {},
    close(name) {
      if (name === "sectPrChange") earlier -= 1;
    },
  });
  const settings = office.relationships(office.mainPart).find(({ type }) => type === "settings")?.target;
  const settingsRoot =
    settings === undefined
      ? undefined
      : office.beside("What is printed on even pages alone", () => office.tree(settings));
  const even = elementOf(settingsRoot, "evenAndOddHeaders");
  const shown = new Set(["default", hasFirst && "first", even !== undefined && isOn(even.attributes) && "even"]);
  const parts = new Map(found.filter(({ type }) => shown.has(type)).map((running) => [running.part, running]));
  return [...parts.values()];
}

function isOn(attributes: Record<string, string>): boolean {
  return !/^(?:0|false|off)$/u.test(attributes["w:val"] ?? "");
}

/** A row of a table is a line: what is put side by side belongs together. */
function paragraphsIn(element: XmlElement | undefined): string[] {
  return elementsOf(element).flatMap((child) => {
    if (child.name === "p") return paragraphTexts(child);
    if (child.name === "tr") {
      const cells = elementsOf(child, "tc").map((cell) => paragraphsIn(cell).join(" "));
      return [cells.filter((text) => text !== "").join(" | ")];
    }
    return unread.has(child.name) ? [] : paragraphsIn(chosen(child));
  });
}

const unread = new Set("del moveFrom pPr rPr sdtPr tblPr tblGrid instrText delText rt".split(" "));
const counts = /^\s*(?:PAGE|NUMPAGES|SECTIONPAGES|SECTION)\b/u;

/** The parts between its tabs in one line, without those that only count pages, then what its text boxes say. */
function paragraphTexts(paragraph: XmlElement): string[] {
  const parts: RunningPart[] = [{ text: "", isCount: false }];
  const boxes: string[] = [];
  const fields: { instruction: string; state: "instruction" | "result" | "count" }[] = [];
  /** How many fields are open in each state: there may be thousands, one in the other. */
  const open = { instruction: 0, result: 0, count: 0 };
  const walk = (element: XmlElement): void => {
    for (const child of elementsOf(element)) {
      const part = parts.at(-1)!;
      if (child.name === "fldChar") {
        const type = child.attributes["w:fldCharType"];
        const last = fields.at(-1);
        if (type === "begin") {
          fields.push({ instruction: "", state: "instruction" });
          open.instruction += 1;
        } else if (last !== undefined) {
          open[last.state] -= 1;
          if (type === "end") fields.pop();
          else open[(last.state = counts.test(last.instruction) ? "count" : "result")] += 1;
        }
      } else if (child.name === "instrText" && fields.length > 0) fields.at(-1)!.instruction += textOf(child);
      else if (child.name === "t") {
        if (open.instruction > 0) continue;
        part.isCount ||= open.count > 0;
        part.text += textOf(child);
      } else if (child.name === "tab" || child.name === "ptab") parts.push({ text: "", isCount: false });
      else if (child.name === "br" || child.name === "cr") part.text += " ";
      else if (child.name === "noBreakHyphen") part.text += "-";
      else if (child.name === "txbxContent") appendAll(boxes, paragraphsIn(child));
      else if (child.name === "fldSimple") {
        part.isCount ||= counts.test(child.attributes["w:instr"] ?? "");
        walk(child);
      } else if (!unread.has(child.name)) walk(chosen(child));
    }
  };
  walk(paragraph);
  return [lineOf(parts), ...boxes];
}

/** Newer features come with a fallback, which says the same once more. */
function chosen(element: XmlElement): XmlElement {
  if (element.name !== "AlternateContent") return element;
  return elementOf(element, "Choice") ?? elementOf(element, "Fallback") ?? element;
}
