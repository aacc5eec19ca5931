import { appendAll } from "../append-all.ts";
import type { ParseLimits } from "../limits.ts";
import type { Draft, Parsed } from "../sections.ts";
import { type XmlElement, elementOf, elementsOf, textOf } from "../xml-tree.ts";
import { OdfReader } from "./odf-blocks.ts";
import type { OdfStyles } from "./odf-styles.ts";
import { type RunningLine, runningDrafts } from "./running-lines.ts";

/** Placeholders that repeat on every slide. */
const furniture = new Set(["header", "footer", "date-time", "page-number", "page", "handout"]);

/** OpenDocument presentations in the order in which they are shown; page is the slide, notes are a container of their own, footers stand at the end. */
export function parseOdp(body: XmlElement | undefined, styles: OdfStyles, limits: ParseLimits): Omit<Parsed, "title"> {
  const reader = new OdfReader(styles, limits);
  const drafts: Draft[] = [];
  const footers: RunningLine[] = [];
  const footerOf = new Map(
    elementsOf(body, "footer-decl").map((footer) => [footer.attributes["presentation:name"], textOf(footer)]),
  );
  elementsOf(body, "page").forEach((slide, index) => {
    const page = index + 1;
    if (styles.isHidden(slide.attributes["draw:style-name"])) {
      reader.warnings.push(`The hidden slide ${page} was left out.`);
      return;
    }
    for (const draft of readSlide(reader, slide, page)) drafts.push({ ...draft, page });
    const footer = footerOf.get(slide.attributes["presentation:use-footer-name"]);
    if (footer !== undefined) footers.push({ kind: "footer", text: footer.replace(/\s+/gu, " ").trim() });
  });
  appendAll(drafts, runningDrafts(footers));
  return { drafts, warnings: reader.warnings };
}

function readSlide(reader: OdfReader, slide: XmlElement, page: number): Draft[] {
  const frames = elementsOf(slide).filter(isShown);
  const isOpening = page === 1 && frames.some((frame) => classOf(frame) === "subtitle");
  const titles: Draft[] = [];
  const bodies: Draft[] = [];
  for (const frame of frames) {
    if (frame.name === "notes") continue;
    if (frame.name === "annotation") {
      reader.comment(frame);
      continue;
    }
    const drafts = reader.shape(frame);
    if (classOf(frame) !== "title") {
      appendAll(bodies, drafts);
      continue;
    }
    const text = drafts.map((draft) => draft.text.replaceAll("\n", " ")).join(" ");
    // The opening slide's title is the presentation's.
    if (text.trim() !== "")
      titles.push({ kind: isOpening && titles.length === 0 ? "title" : "heading", text, level: 1 });
  }
  const notes = elementsOf(elementOf(slide, "notes"))
    .filter((frame) => classOf(frame) === "notes" && isShown(frame))
    .flatMap((frame) => reader.shape(frame))
    .map((draft) => ({ ...draft, container: "Speaker notes" }));
  return [...titles, ...bodies, ...notes, ...reader.said()];
}

function classOf(frame: XmlElement): string | undefined {
  return frame.attributes["presentation:class"];
}

/** An empty placeholder holds the program's own "Click to add text". */
function isShown(frame: XmlElement): boolean {
  return frame.attributes["presentation:placeholder"] !== "true" && !furniture.has(classOf(frame) ?? "");
}
