import mammoth from "mammoth";
import { countOf } from "../document-errors.ts";
import type { ParseLimits } from "../limits.ts";
import type { OoxmlPackage } from "../ooxml-package.ts";
import type { Parsed } from "../sections.ts";
import { writeArchive } from "../write-archive.ts";
import { convertUndamaged, withKnownNotes } from "./docx-beside.ts";
import { withComments } from "./docx-comments.ts";
import { docxHeadersAndFooters } from "./docx-headers-footers.ts";
import { parseHtml, titleClass } from "./html.ts";
import { runningDrafts } from "./running-lines.ts";

/** On top of mammoth's own map, which knows headings, lists, footnotes and tables. */
const styleMap = [
  `p[style-name='Title'] => h1.${titleClass}:fresh`,
  "p[style-name='Subtitle'] => p:fresh",
  "p[style-name='Caption'] => p:fresh",
  "p[style-name='Quote'] => blockquote > p:fresh",
  "p[style-name='Intense Quote'] => blockquote > p:fresh",
  "p[style-name='HTML Preformatted'] => pre:separator('\\n')",
  "p[style-name='Code'] => pre:separator('\\n')",
  "p[style-name='Source Code'] => pre:separator('\\n')",
  "p[style-name='macro'] => pre:separator('\\n')",
];

/** The parts whose text mammoth reads. */
const textParts = /^word\/(?:document|footnotes|endnotes|comments)\d*\.xml$/u;
/** Elements around text that mammoth leaves out with all that they hold, by one that it reads through. */
const readThrough = "w:smartTag";
const renamed: Record<string, string> = {
  "w:fldSimple": readThrough,
  "w:dir": readThrough,
  "w:bdo": readThrough,
  "w:ruby": readThrough,
  "w:rubyBase": readThrough,
  "w:cr": "w:br",
  "w:ptab": "w:tab",
  // Text boxes in old drawings.
  "v:oval": "v:rect",
  "v:line": "v:rect",
  "v:polyline": "v:rect",
  "m:r": "w:r",
  "m:t": "w:t",
};
/** What is written between the parts of a formula, which is read in one line. */
const signs: Record<string, string> = { "m:den": "/", "m:sup": "^", "m:sub": "_" };

/**
 * Fields, text in another direction, the words under their reading, formulas: mammoth knows none of these. What it reads in
 * their place are their words in order.
 */
function withKnownElements(xml: string): string {
  return xml.replace(/<(\/?)([wvm]:\w+)(?=[\s/>])/gu, (tag, slash: string, name: string) => {
    const known = renamed[name] ?? (name.startsWith("m:") && !name.endsWith("Pr") ? readThrough : null);
    if (known === null) return tag;
    const sign = slash === "" ? signs[name] : undefined;
    return `${sign === undefined ? "" : `<w:r><w:t>${sign}</w:t></w:r>`}<${slash}${known}`;
  });
}

function withReadableParts(parts: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
  return new Map(
    [...parts].map(([name, part]) => [
      name,
      textParts.test(name) ? new TextEncoder().encode(withKnownElements(new TextDecoder().decode(part))) : part,
    ]),
  );
}

/** Programs that write no Word format hang a page of HTML or another document in, which Word reads when it opens the file. */
function foreignParts(office: OoxmlPackage): string[] {
  const count = (office.text(office.mainPart) ?? "").match(/<w:altChunk[\s/>]/gu)?.length ?? 0;
  return count === 0
    ? []
    : [`${countOf(count, "part")} in another format left out; open the document in Word and save it once.`];
}

async function convert(parts: ReadonlyMap<string, Uint8Array>): Promise<string> {
  const { value } = await mammoth.convertToHtml(
    { buffer: writeArchive(parts) },
    {
      styleMap,
      includeEmbeddedStyleMap: false,
      externalFileAccess: false,
      transformDocument: (document) => withComments(withKnownNotes(document)),
      convertImage: mammoth.images.imgElement(() => Promise.resolve({ src: "" })),
    },
  );
  return value;
}

/** Word documents, by way of the HTML that mammoth makes of their meaning. Pictures keep their description only. */
export async function parseDocx(office: OoxmlPackage, limits: ParseLimits): Promise<Parsed> {
  const html = await convertUndamaged(office, withReadableParts(office.archive.parts), convert);
  // mammoth ends each note with an arrow back to its place.
  const parsed = parseHtml(html.replace(/ ?<a href="#(?:foot|end)note-ref-[^"]*">↑<\/a>/gu, ""), limits);
  const running = runningDrafts(docxHeadersAndFooters(office));
  return {
    title: parsed.drafts.find((draft) => draft.kind === "title")?.text ?? office.title,
    drafts: [...parsed.drafts, ...running],
    warnings: [...office.warnings, ...foreignParts(office), ...parsed.warnings],
  };
}
