import { gzipSync } from "node:zlib";
import { deflatedArchive, writeTar } from "@anneal/documents/testing/archive-fixture";
import { writeMsg } from "@anneal/documents/testing/msg-fixture";
import {
  docxParagraph,
  slideShape,
  writeDocx,
  writeOdf,
  writePptx,
  writeXlsx,
} from "@anneal/documents/testing/office-fixture";
import { lines, type PlacedText, writePdf } from "@anneal/documents/testing/pdf-fixture";
import { drawPicture, drawScan } from "@anneal/documents/testing/scan-fixture";
import { createProse, type Language, type Prose } from "./extraction-prose.ts";

/** A file and all that was written into it, in the order of reading; null pages where its format has none. */
export type MadeDocument = { name: string; bytes: Uint8Array; truth: string[]; pages: number | null };

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

type Made = {
  bytes: Uint8Array;
  pages?: number;
  /** Where the format has another order than title, sections, table, or less room. */
  truth?: string[];
};
type Format = {
  write: (content: Content) => Made;
  /** The file's name where it is another than the format's. */
  extension?: string;
  /** Has only the letters of the fonts that every PDF may use. */
  isEnglish?: true;
  /** Its text is recognised by Tesseract, at some seconds a page. */
  isRecognised?: true;
};

const writers: Record<string, Format["write"]> = {
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
    return { bytes: writeXlsx([{ name: "Figures", data: data.join("") }]), truth: cells.flat() };
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
  ods: ({ title, sections, table: rows }) => {
    const cells = [[title], ...rows, ...sections.flatMap(({ heading, paragraphs }) => [[heading], paragraphs])];
    const cell = (text: string) =>
      `<table:table-cell office:value-type="string"><text:p>${text}</text:p></table:table-cell>`;
    const sheet = `<table:table table:name="Figures">${table(cells, "table:table-row", cell)}</table:table>`;
    return { bytes: writeOdf("spreadsheet", sheet), truth: cells.flat() };
  },
  odp: ({ title, sections, table: rows }) => {
    const frame = (role: string, texts: string[]) =>
      `<draw:frame presentation:class="${role}"><draw:text-box>${texts.map((text) => `<text:p>${text}</text:p>`).join("")}</draw:text-box></draw:frame>`;
    const slides = [
      frame("title", [title]),
      ...sections.map(({ heading, paragraphs }) => frame("title", [heading]) + frame("outline", paragraphs)),
      frame(
        "outline",
        rows.map((row) => row.join(", ")),
      ),
    ];
    const pages = slides.map((frames) => `<draw:page>${frames}</draw:page>`);
    return { bytes: writeOdf("presentation", pages.join("")), pages: slides.length };
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
    return { bytes: Buffer.from(["name,place,text", ...quoted].join("\r\n")), truth: records.flat() };
  },
  tsv: ({ title, sections, table: rows }) => {
    const records = [...rows, ...sections.map(({ heading, paragraphs }) => [heading, title, paragraphs.join(" ")])];
    const rowsOfFile = ["name\tplace\ttext", ...records.map((record) => record.join("\t"))];
    return { bytes: Buffer.from(rowsOfFile.join("\n")), truth: records.flat() };
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
  /** The table is attached. */
  msg: ({ title, sections, table: rows }) => ({
    bytes: writeMsg({
      subject: title,
      from: { name: "Ann Lee", address: "ann@example.org" },
      to: [{ name: "Tom Alder", address: "tom@example.org" }],
      sentAt: new Date("2026-03-03T10:12:00Z"),
      html: `<html><body>${htmlBody({ title: "", sections, table: [] })}</body></html>`,
      attachments: [{ name: "table.csv", data: writers["csv"]!({ title, sections: [], table: rows }).bytes }],
    }),
  }),
  epub: writeBook,
  /** A Markdown file for each section, and a table. */
  zip: (content) => {
    const { files, truth } = writeFolder(content);
    return { bytes: deflatedArchive(files), truth };
  },
  "tar.gz": (content) => {
    const { files, truth } = writeFolder(content);
    return { bytes: gzipSync(writeTar(files)), truth };
  },
};

export const formats: Record<string, Format> = {
  pdf: { write: (content) => writePaged(content, oneColumn), isEnglish: true },
  "pdf, two columns": { write: (content) => writePaged(content, twoColumns), extension: "pdf", isEnglish: true },
  ...Object.fromEntries(Object.entries(writers).map(([format, write]) => [format, { write }])),
  "pdf, scanned": { write: scanPages, extension: "pdf", isEnglish: true, isRecognised: true },
  ...Object.fromEntries(
    (["jpeg", "png", "webp", "gif"] as const).map((extension) => [
      `${extension}, scanned`,
      { write: (content: Content) => scanPage(content, extension), extension, isEnglish: true, isRecognised: true },
    ]),
  ),
};

/** The same for the same seed. */
export function makeDocuments(name: string, count: number, seed: number): MadeDocument[] {
  const { write, isEnglish = false, extension = name } = formats[name]!;
  const languages: Language[] = isEnglish ? ["en"] : ["en", "de", "fr"];
  return Array.from({ length: count }, (_, at) => {
    const content = makeContent(createProse(languages[at % languages.length]!, seed * 4049 + at));
    const { bytes, pages = null, truth = truthOf(content) } = write(content);
    return { name: `document-${at}.${extension}`, bytes, truth, pages };
  });
}

function writeFolder({ title, sections, table: rows }: Content) {
  const files = sections.map(({ heading, paragraphs }, at) => ({
    name: `${at + 1}.md`,
    data: Buffer.from(`# ${heading}\n\n${paragraphs.join("\n\n")}\n`),
  }));
  files.push({ name: "table.csv", data: Buffer.from(writers["csv"]!({ title, sections: [], table: rows }).bytes) });
  return { files, truth: truthOf({ title: "", sections, table: rows }) };
}

function htmlBody({ title, sections, table: rows }: Content): string {
  const body = sections.map(
    ({ heading, paragraphs }) => `<h2>${heading}</h2>${paragraphs.map((text) => `<p>${text}</p>`).join("")}`,
  );
  return `<h1>${title}</h1>${body.join("")}<table>${table(rows, "tr", (text) => `<td>${text}</td>`)}</table>`;
}

/** A chapter for each section; what EPUB's package document needs, after "EPUB 3.3". */
function writeBook({ title, sections, table: rows }: Content): Made {
  const chapters = sections.map(({ heading, paragraphs }) =>
    htmlBody({ title: heading, sections: [], table: [paragraphs] }),
  );
  chapters.push(htmlBody({ title, sections: [], table: rows }));
  const names = chapters.map((_, at) => `chapter-${at}.xhtml`);
  const bytes = deflatedArchive([
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
  const truth = [...sections.flatMap(({ heading, paragraphs }) => [heading, ...paragraphs]), title, ...rows.flat()];
  return { bytes, truth };
}

const linesOfPage = 50;
type Layout = { columns: number[]; lineChars: number };
const oneColumn: Layout = { columns: [60], lineChars: 88 };
const twoColumns: Layout = { columns: [60, 310], lineChars: 44 };

/** Lines as a word processor would break them, on as many pages as they need; the table on pages of its own. */
function writePaged(content: Content, { columns, lineChars }: Layout): Made {
  const { title, sections, table: rows } = content;
  const texts = [title, ...sections.flatMap(({ heading, paragraphs }) => ["", heading, ...paragraphs])];
  const broken = pagesOf(
    texts.flatMap((text) => breakLines(plain(text), lineChars)),
    linesOfPage,
  );
  const pages: PlacedText[][] = pagesOf(broken, columns.length).map((page) =>
    page.flatMap((column, at) => lines(columns[at]!, 780, column)),
  );
  const cells = rows.flatMap((row, at) =>
    row.map((cell, column) => ({ x: 60 + 170 * column, y: 780 - at * 14, text: plain(cell) })),
  );
  pages.push(cells);
  const written = pages.map((page) => page.filter(({ text }) => text.trim() !== ""));
  return { bytes: writePdf(written, { title: plain(title) }), pages: pages.length };
}

const linesOfScan = 33;
const scanLineChars = 56;

function scanLines(content: Content): string[] {
  const { title, sections, table: rows } = content;
  const texts = [title, ...sections.flatMap(({ heading, paragraphs }) => ["", heading, ...paragraphs]), ""];
  return [...texts, ...rows.map((row) => row.join(", "))].flatMap((text) => breakLines(plain(text), scanLineChars));
}

/** As a scanner makes it at 300 dots an inch: each page is one picture. */
function scanPages(content: Content): Made {
  const pages = pagesOf(scanLines(content), linesOfScan).map((page) => drawScan(page, 2));
  const images = new Map(pages.map((image, at) => [at + 1, image]));
  return {
    bytes: writePdf(
      pages.map(() => []),
      { images },
    ),
    pages: pages.length,
  };
}

/** The first page of it. */
function scanPage(content: Content, format: "jpeg" | "png" | "webp" | "gif"): Made {
  const [page = []] = pagesOf(scanLines(content), linesOfScan);
  const bytes = format === "jpeg" ? drawScan(page, 2).data : drawPicture(page, format, 2);
  return { bytes, pages: 1, truth: page };
}

function pagesOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}

function breakLines(text: string, lineChars: number): string[] {
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
