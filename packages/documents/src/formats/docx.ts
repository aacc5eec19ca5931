import mammoth from "mammoth";
import type { ParseLimits } from "../limits.ts";
import type { OoxmlPackage } from "../ooxml-package.ts";
import type { Parsed } from "../sections.ts";
import { writeArchive } from "../write-archive.ts";
import { parseHtml, titleClass } from "./html.ts";

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

/** Word documents, by way of the HTML that mammoth makes of their meaning. Pictures keep their description only. */
export async function parseDocx(office: OoxmlPackage, limits: ParseLimits): Promise<Parsed> {
  const { value } = await mammoth.convertToHtml(
    { buffer: writeArchive(office.archive.parts) },
    {
      styleMap,
      includeEmbeddedStyleMap: false,
      externalFileAccess: false,
      convertImage: mammoth.images.imgElement(() => Promise.resolve({ src: "" })),
    },
  );
  // mammoth ends each note with an arrow back to its place.
  const parsed = parseHtml(value.replace(/ ?<a href="#(?:foot|end)note-ref-[^"]*">↑<\/a>/gu, ""), limits);
  return {
    title: parsed.drafts.find((draft) => draft.kind === "title")?.text ?? office.title,
    drafts: parsed.drafts,
    warnings: [...office.warnings, ...parsed.warnings],
  };
}
