import { deflatedArchive } from "@anneal/documents/testing/archive-fixture";
import {
  docxParagraph,
  slideShape,
  writeDocx,
  writeOdf,
  writePptx,
  writeXlsx,
} from "@anneal/documents/testing/office-fixture";
import { lines, writePdf } from "@anneal/documents/testing/pdf-fixture";
import { createProse, type Language, type Prose } from "./extraction-prose.ts";

/** A file and all that was written into it; `pages` where its format has any. */
export type MadeDocument = { name: string; bytes: Uint8Array; truth: string[]; pages: number };

type Content = { title: string; sections: { heading: string; paragraphs: string[] }[]; table: string[][] };

/** About 1,200 words and a table of 20 rows. */
function makeContent(prose: Prose): Content {
  return {
    title: prose.title(),
    sections: Array.from({ length: 6 }, () => ({
      heading: prose.title(),
      paragraphs: Array.from({ length: 3 }, () => prose.sentences(4)),
    })),
    table: Array.from({ length: 20 }, () => [prose.name(), prose.place(), String(prose.number(1, 9999))]),
  };
}

function truthOf({ title, sections, table }: Content): string[] {
  return [title, ...sections.flatMap(({ heading, paragraphs }) => [heading, ...paragraphs]), ...table.flat()];
}

const table = (rows: string[][], row: string, cell: (text: string) => string) =>
  rows.map((cells) => `<${row}>${cells.map(cell).join("")}</${row}>`).join("");

type Writer = (content: Content) => { bytes: Uint8Array; pages?: number };

const writers: Record<string, Writer> = {
  pdf: writePaged,
  docx: ({ title, sections, table: rows }) => ({
    bytes: writeDocx(
      docxParagraph(title, "Title") +
        sections
          .map(
            ({ heading, paragraphs }) =>
              docxParagraph(heading, "Heading1") + paragraphs.map((text) => docxParagraph(text)).join(""),
          )
          .join("") +
        `<w:tbl>${table(rows, "w:tr", (text) => `<w:tc>${docxParagraph(text)}</w:tc>`)}</w:tbl>`,
    ),
  }),
  xlsx: ({ title, sections, table: rows }) => {
    const cells = [[title], ...rows, ...sections.flatMap(({ heading, paragraphs }) => [[heading], paragraphs])];
    const data = cells.map(
      (row, at) =>
        `<row r="${at + 1}">${row.map((text, column) => `<c r="${String.fromCharCode(65 + column)}${at + 1}" t="inlineStr"><is><t>${text}</t></is></c>`).join("")}</row>`,
    );
    return { bytes: writeXlsx([{ name: "Figures", data: data.join("") }]) };
  },
  pptx: ({ title, sections, table: rows }) => {
    const slides = [
      { shapes: slideShape("title", title) },
      ...sections.map(({ heading, paragraphs }) => ({
        shapes: slideShape("title", heading) + slideShape("body", ...paragraphs),
      })),
      { shapes: slideShape(null, ...rows.map((row) => row.join(", "))) },
    ];
    return { bytes: writePptx(slides), pages: slides.length };
  },
  odt: ({ title, sections, table: rows }) => {
    const p = (text: string) => `<text:p>${text}</text:p>`;
    const body = sections
      .map(
        ({ heading, paragraphs }) => `<text:h text:outline-level="1">${heading}</text:h>${paragraphs.map(p).join("")}`,
      )
      .join("");
    const cells = table(rows, "table:table-row", (text) => `<table:table-cell>${p(text)}</table:table-cell>`);
    return { bytes: writeOdf("text", `${p(title)}${body}<table:table>${cells}</table:table>`) };
  },
  html: (content) => ({
    bytes: Buffer.from(
      `<!DOCTYPE html><html><head><meta charset="utf-8"><title>${content.title}</title></head><body>${htmlBody(content)}</body></html>`,
    ),
  }),
  md: ({ title, sections, table: rows }) => ({
    bytes: Buffer.from(
      `# ${title}\n\n${sections.map(({ heading, paragraphs }) => `## ${heading}\n\n${paragraphs.join("\n\n")}`).join("\n\n")}\n\n| Name | Place | Count |\n| --- | --- | --- |\n${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}\n`,
    ),
  }),
  txt: (content) => ({ bytes: Buffer.from(truthOf(content).join("\n\n")) }),
  csv: ({ title, sections, table: rows }) => {
    const records = [...rows, ...sections.map(({ heading, paragraphs }) => [heading, title, paragraphs.join(" ")])];
    const quoted = records.map((record) => record.map((text) => `"${text.replaceAll('"', '""')}"`).join(","));
    return { bytes: Buffer.from(["name,place,text", ...quoted].join("\r\n")) };
  },
  json: ({ title, sections, table: rows }) => ({ bytes: Buffer.from(JSON.stringify({ title, sections, rows })) }),
  xml: ({ title, sections, table: rows }) => ({
    bytes: Buffer.from(
      `<?xml version="1.0" encoding="UTF-8"?><report><title>${title}</title>${sections.map(({ heading, paragraphs }) => `<section><heading>${heading}</heading>${paragraphs.map((text) => `<para>${text}</para>`).join("")}</section>`).join("")}${table(rows, "row", (text) => `<cell>${text}</cell>`)}</report>`,
    ),
  }),
  eml: (content) => ({
    bytes: Buffer.from(
      [
        "From: Ann Lee <ann@example.org>",
        "To: Tom Alder <tom@example.org>",
        `Subject: =?utf-8?B?${Buffer.from(content.title).toString("base64")}?=`,
        "Date: Tue, 3 Mar 2026 10:12:00 +0000",
        "MIME-Version: 1.0",
        'Content-Type: text/html; charset="utf-8"',
        "Content-Transfer-Encoding: base64",
        "",
        ...(Buffer.from(`<html><body>${htmlBody(content)}</body></html>`)
          .toString("base64")
          .match(/.{1,76}/g) ?? []),
      ].join("\r\n"),
    ),
  }),
  epub: (content) => ({ bytes: writeBook(content) }),
};

export const formats = Object.keys(writers);

/** The same for the same seed; PDFs hold only the characters that its built-in fonts have. */
export function makeDocuments(format: string, count: number, seed: number): MadeDocument[] {
  const languages: Language[] = ["en", "de", "fr"];
  return Array.from({ length: count }, (_, at) => {
    const language = format === "pdf" ? "en" : languages[at % languages.length]!;
    const content = makeContent(createProse(language, seed * 4049 + at));
    const { bytes, pages = 1 } = writers[format]!(content);
    return { name: `document-${at}.${format}`, bytes, truth: truthOf(content), pages };
  });
}

function htmlBody({ title, sections, table: rows }: Content): string {
  const body = sections.map(
    ({ heading, paragraphs }) => `<h2>${heading}</h2>${paragraphs.map((text) => `<p>${text}</p>`).join("")}`,
  );
  return `<h1>${title}</h1>${body.join("")}<table>${table(rows, "tr", (text) => `<td>${text}</td>`)}</table>`;
}

/** A chapter for each section; what EPUB's package document needs, after "EPUB 3.3". */
function writeBook({ title, sections, table: rows }: Content): Uint8Array {
  const chapters = sections.map(({ heading, paragraphs }) =>
    htmlBody({ title: heading, sections: [], table: [paragraphs] }),
  );
  chapters.push(htmlBody({ title, sections: [], table: rows }));
  const names = chapters.map((_, at) => `chapter-${at}.xhtml`);
  return deflatedArchive([
    { name: "mimetype", data: "application/epub+zip", stored: true },
    {
      name: "META-INF/container.xml",
      data: '<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
    },
    {
      name: "book.opf",
      data: `<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>${title}</dc:title></metadata><manifest>${names.map((name) => `<item id="${name}" href="${name}" media-type="application/xhtml+xml"/>`).join("")}</manifest><spine>${names.map((name) => `<itemref idref="${name}"/>`).join("")}</spine></package>`,
    },
    ...chapters.map((body, at) => ({
      name: names[at]!,
      data: `<?xml version="1.0" encoding="UTF-8"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>${body}</body></html>`,
    })),
  ]);
}

const linesOfPage = 50;
const lineChars = 88;

/** Lines as a word processor would break them, on as many pages as they need. */
function writePaged({ title, sections, table: rows }: Content): { bytes: Uint8Array; pages: number } {
  const texts = [title, ...sections.flatMap(({ heading, paragraphs }) => ["", heading, ...paragraphs]), ""];
  const broken = texts.flatMap((text) => breakLines(plain(text)));
  const all = [...broken, ...rows.map((row) => row.map((cell) => plain(cell).padEnd(28)).join(""))];
  const pages = Array.from({ length: Math.ceil(all.length / linesOfPage) }, (_, at) =>
    lines(60, 780, all.slice(at * linesOfPage, (at + 1) * linesOfPage)).filter(({ text }) => text.trim() !== ""),
  );
  return { bytes: writePdf(pages, { title: plain(title) }), pages: pages.length };
}

function breakLines(text: string): string[] {
  const found: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line.length + word.length + 1 > lineChars) {
      found.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...found, line];
}

function plain(text: string): string {
  return text.replaceAll(/[“”]/g, '"').replaceAll("’", "'");
}
