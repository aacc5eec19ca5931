import { deflatedArchive, type FixtureEntry } from "./archive-fixture.ts";

const xml = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const relationshipType = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

export type Relation = { id: string; type: string; target: string; external?: boolean };

export function relationships(relations: readonly Relation[]): string {
  const items = relations.map(
    ({ id, type, target, external }) =>
      `<Relationship Id="${id}" Type="${relationshipType}/${type}" Target="${target}"${external === true ? ' TargetMode="External"' : ""}/>`,
  );
  return `${xml}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${items.join("")}</Relationships>`;
}

const types = `${xml}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>`;

function office(mainPart: string, parts: readonly FixtureEntry[]): Uint8Array {
  return deflatedArchive([
    { name: "[Content_Types].xml", data: types },
    {
      name: "_rels/.rels",
      data: relationships([{ id: "rId1", type: "officeDocument", target: mainPart }]),
    },
    ...parts,
  ]);
}

/** A Word document from the XML of its body; styles "Title" and "Heading1" to "Heading3" exist. */
export function writeDocx(
  body: string,
  extra: readonly FixtureEntry[] = [],
  relations: readonly Relation[] = [],
): Uint8Array {
  const style = (id: string, name: string) =>
    `<w:style w:type="paragraph" w:styleId="${id}"><w:name w:val="${name}"/></w:style>`;
  const styles = [
    style("Title", "Title"),
    ...[1, 2, 3].map((level) => style(`Heading${level}`, `heading ${level}`)),
  ].join("");
  const w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';
  return office("word/document.xml", [
    {
      name: "word/document.xml",
      data: `${xml}<w:document ${w}><w:body>${body}</w:body></w:document>`,
    },
    { name: "word/styles.xml", data: `${xml}<w:styles ${w}>${styles}</w:styles>` },
    {
      name: "word/_rels/document.xml.rels",
      data: relationships([{ id: "rId1", type: "styles", target: "styles.xml" }, ...relations]),
    },
    ...extra,
  ]);
}

export function docxParagraph(text: string, style?: string): string {
  const properties = style === undefined ? "" : `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`;
  return `<w:p>${properties}<w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;
}

/** The relationship of a slide's chart is rId1. */
export type FixtureSlide = {
  shapes: string;
  notes?: string;
  comments?: string;
  chart?: string;
  layout?: FixtureLayout;
  attributes?: string;
};

/** The XML of the shapes of a slide's layout and of its master. */
export type FixtureLayout = { layout: string; master: string };

/** A presentation with slides of 12,000 by 8,000; they are stored in reverse, so that only the presentation's list tells their order. */
export function writePptx(
  slides: readonly FixtureSlide[],
  extra: readonly { type: string; target: string; data: string }[] = [],
): Uint8Array {
  const names =
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"';
  const number = (index: number) => slides.length - index;
  const parts: FixtureEntry[] = slides.flatMap(({ shapes, notes, comments, chart, layout, attributes = "" }, index) => [
    {
      name: `ppt/slides/slide${number(index)}.xml`,
      data: `${xml}<p:sld ${names} ${attributes}><p:cSld><p:spTree><p:nvGrpSpPr/>${shapes}</p:spTree></p:cSld></p:sld>`,
    },
    ...(comments === undefined
      ? []
      : [
          {
            name: `ppt/slides/_rels/slide${number(index)}.xml.rels`,
            data: relationships([{ id: "rId1", type: "comments", target: `../comments/comment${number(index)}.xml` }]),
          },
          { name: `ppt/comments/comment${number(index)}.xml`, data: comments },
        ]),
    ...(chart === undefined
      ? []
      : [
          {
            name: `ppt/slides/_rels/slide${number(index)}.xml.rels`,
            data: relationships([{ id: "rId1", type: "chart", target: `../charts/chart${number(index)}.xml` }]),
          },
          { name: `ppt/charts/chart${number(index)}.xml`, data: chart },
        ]),
    ...(layout === undefined ? [] : layoutParts(names, number(index), layout)),
    ...(notes === undefined
      ? []
      : [
          {
            name: `ppt/slides/_rels/slide${number(index)}.xml.rels`,
            data: relationships([
              {
                id: "rId1",
                type: "notesSlide",
                target: `../notesSlides/notesSlide${number(index)}.xml`,
              },
            ]),
          },
          {
            name: `ppt/notesSlides/notesSlide${number(index)}.xml`,
            data: `${xml}<p:notes ${names}><p:cSld><p:spTree>${slideShape("body", notes)}</p:spTree></p:cSld></p:notes>`,
          },
        ]),
  ]);
  const list = slides.map((_, index) => `<p:sldId id="${256 + index}" r:id="rId${number(index)}"/>`).join("");
  return office("ppt/presentation.xml", [
    {
      name: "ppt/presentation.xml",
      data: `${xml}<p:presentation ${names}><p:sldIdLst>${list}</p:sldIdLst><p:sldSz cx="12000" cy="8000"/></p:presentation>`,
    },
    {
      name: "ppt/_rels/presentation.xml.rels",
      data: relationships([
        ...slides.map((_, index) => ({
          id: `rId${number(index)}`,
          type: "slide",
          target: `slides/slide${number(index)}.xml`,
        })),
        ...extra.map(({ type, target }, index) => ({ id: `rId${slides.length + 1 + index}`, type, target })),
      ]),
    },
    ...extra.map(({ target, data }) => ({ name: `ppt/${target}`, data })),
    ...parts,
  ]);
}

function layoutParts(names: string, number: number, { layout, master }: FixtureLayout): FixtureEntry[] {
  const [layoutPart, masterPart] = [`slideLayouts/slideLayout${number}.xml`, `slideMasters/slideMaster${number}.xml`];
  const sheet = (name: string, shapes: string) =>
    `${xml}<p:${name} ${names}><p:cSld><p:spTree><p:nvGrpSpPr/>${shapes}</p:spTree></p:cSld></p:${name}>`;
  return [
    {
      name: `ppt/slides/_rels/slide${number}.xml.rels`,
      data: relationships([{ id: "rId1", type: "slideLayout", target: `../${layoutPart}` }]),
    },
    { name: `ppt/${layoutPart}`, data: sheet("sldLayout", layout) },
    {
      name: `ppt/slideLayouts/_rels/slideLayout${number}.xml.rels`,
      data: relationships([{ id: "rId1", type: "slideMaster", target: `../${masterPart}` }]),
    },
    { name: `ppt/${masterPart}`, data: sheet("sldMaster", master) },
  ];
}

/** @param placeholder its type, or null for a free text box. */
export function slideShape(placeholder: string | null, ...paragraphs: string[]): string {
  return framedShape(placeholder, "", ...paragraphs);
}

/** @param frame the XML of its place on the slide: `slideFrame`. */
export function framedShape(placeholder: string | null, frame: string, ...paragraphs: string[]): string {
  return shapeOf(placeholder === null ? "" : `<p:ph type="${placeholder}"/>`, frame, paragraphs);
}

/** @param attributes of its `p:ph`: type and idx, each of which a file may leave out */
export function placeholderShape(attributes: string, frame: string, ...paragraphs: string[]): string {
  return shapeOf(`<p:ph ${attributes}/>`, frame, paragraphs);
}

function shapeOf(ph: string, frame: string, paragraphs: readonly string[]): string {
  const body = paragraphs.map((text) => `<a:p><a:r><a:t>${text}</a:t></a:r></a:p>`).join("");
  return `<p:sp><p:nvSpPr><p:cNvPr id="2" name="x"/><p:cNvSpPr/><p:nvPr>${ph}</p:nvPr></p:nvSpPr><p:spPr>${frame}</p:spPr><p:txBody>${body}</p:txBody></p:sp>`;
}

export function slideFrame(x: number, y: number, cx: number, cy: number, more = "", attributes = ""): string {
  return `<a:xfrm ${attributes}><a:off x="${x}" y="${y}"/><a:ext cx="${cx}" cy="${cy}"/>${more}</a:xfrm>`;
}

/** A workbook from the XML of its sheets' data. */
export function writeXlsx(
  sheets: readonly { name: string; data: string; after?: string }[],
  extra: readonly FixtureEntry[] = [],
  relations: readonly Relation[] = [],
): Uint8Array {
  const main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
  const list = sheets
    .map(({ name }, index) => `<sheet name="${name}" sheetId="${index + 1}" r:id="rId${index + 1}"/>`)
    .join("");
  return office("xl/workbook.xml", [
    {
      name: "xl/workbook.xml",
      data: `${xml}<workbook xmlns="${main}" xmlns:r="${relationshipType}"><sheets>${list}</sheets></workbook>`,
    },
    {
      name: "xl/_rels/workbook.xml.rels",
      data: relationships([
        ...sheets.map((_, index) => ({
          id: `rId${index + 1}`,
          type: "worksheet",
          target: `worksheets/sheet${index + 1}.xml`,
        })),
        ...relations,
      ]),
    },
    ...sheets.map(({ data, after = "" }, index) => ({
      name: `xl/worksheets/sheet${index + 1}.xml`,
      data: `${xml}<worksheet xmlns="${main}"><sheetData>${data}</sheetData>${after}</worksheet>`,
    })),
    ...extra,
  ]);
}

/** An OpenDocument file from the XML of its body; `kind` is "text", "spreadsheet" or "presentation". */
export function writeOdf(
  kind: "text" | "spreadsheet" | "presentation",
  body: string,
  options: {
    automaticStyles?: string;
    styles?: string;
    masterStyles?: string;
    title?: string;
    extra?: readonly FixtureEntry[];
  } = {},
): Uint8Array {
  const namespaces = [
    ..."office style text table draw presentation".split(" ").map((name) => [name, `${name}:1.0`]),
    ..."svg fo".split(" ").map((name) => [name, `${name}-compatible:1.0`]),
  ].map(([name, path]) => `xmlns:${name}="urn:oasis:names:tc:opendocument:xmlns:${path}"`);
  const root = `${namespaces.join(" ")} xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink" office:version="1.3"`;
  const part = (name: string, content: string) => `${xml}<office:${name} ${root}>${content}</office:${name}>`;
  return deflatedArchive([
    { name: "mimetype", data: `application/vnd.oasis.opendocument.${kind}`, stored: true },
    {
      name: "content.xml",
      data: part(
        "document-content",
        `<office:automatic-styles>${options.automaticStyles ?? ""}</office:automatic-styles><office:body><office:${kind}>${body}</office:${kind}></office:body>`,
      ),
    },
    {
      name: "styles.xml",
      data: part(
        "document-styles",
        `<office:styles>${options.styles ?? ""}</office:styles><office:master-styles>${options.masterStyles ?? ""}</office:master-styles>`,
      ),
    },
    {
      name: "meta.xml",
      data: part("document-meta", `<office:meta><dc:title>${options.title ?? ""}</dc:title></office:meta>`),
    },
    ...(options.extra ?? []),
  ]);
}
