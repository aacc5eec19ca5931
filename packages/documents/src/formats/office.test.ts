import ExcelJS from "exceljs";
import { describe, expect, it } from "vitest";
import { defaultParseLimits } from "../limits.ts";
import { openOoxml } from "../ooxml-package.ts";
import {
  relationships,
  framedShape,
  placeholderShape,
  slideFrame,
  slideShape,
  writePptx,
  writeXlsx,
} from "../testing/office-fixture.ts";
import { failureOf, outlineOf, parseFixture } from "../testing/outline-of.ts";
import { parsePptx } from "./pptx.ts";
import { parseXlsx } from "./xlsx.ts";

describe("XLSX", () => {
  async function write(fill: (workbook: ExcelJS.Workbook) => void): Promise<Uint8Array> {
    const workbook = new ExcelJS.Workbook();
    fill(workbook);
    return new Uint8Array(await workbook.xlsx.writeBuffer());
  }

  it("reads what another program wrote, values as they are shown", async () => {
    const bytes = await write((workbook) => {
      const sheet = workbook.addWorksheet("Prices");
      sheet.addRow(["Price list 2026"]);
      sheet.addRow([]);
      sheet.addRow(["Item", "Price", "Share", "Since", "Rich", "Sum", "OK"]);
      sheet.addRow([
        "Pump | big",
        1234.5,
        0.125,
        new Date(Date.UTC(2026, 2, 1)),
        { richText: [{ text: "a" }, { text: "b" }] },
        { formula: "B4*2", result: 2469 },
        true,
      ]);
      sheet.addRow(["Valve", 0.1 + 0.2, 1, new Date(Date.UTC(2026, 2, 1, 14, 30)), "x", { error: "#REF!" }, false]);
      sheet.getCell("B4").numFmt = '#,##0.00 "€"';
      sheet.getCell("C4").numFmt = "0.0%";
      sheet.getCell("C5").numFmt = "0%";
      sheet.getCell("D5").numFmt = "yyyy-mm-dd hh:mm";
      workbook.addWorksheet("Secret", { state: "hidden" }).addRow(["x"]);
    });
    const document = await parseFixture(bytes, "a.xlsx");
    expect(outlineOf(document)).toEqual([
      "heading1 Prices",
      "paragraph Price list 2026",
      [
        "table | Item | Price | Share | Since | Rich | Sum | OK |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        String.raw`| Pump \| big | 1234.50 € | 12.5% | 2026-03-01 | ab | 2469 | TRUE |`,
        "| Valve | 0.3 | 100% | 2026-03-01 14:30 | x | #REF! | FALSE |",
      ].join("\n"),
    ]);
    expect(document.elements.every((element) => element.container === "Prices")).toBe(true);
    expect(document.warnings).toEqual(['The hidden sheet "Secret" was left out.']);
  });

  it("parts tables at empty rows and repeats a cell merged over rows", async () => {
    const bytes = await write((workbook) => {
      const sheet = workbook.addWorksheet("S");
      sheet.addRows([["Team", "Name"], ["Red", "Ann"], [null, "Bob"], [], ["k", "v"], ["a", 1]]);
      sheet.mergeCells("A2:A3");
    });
    expect(outlineOf(await parseFixture(bytes, "a.xlsx"))).toEqual([
      "heading1 S",
      "table | Team | Name |\n| --- | --- |\n| Red | Ann |\n| Red | Bob |",
      "table | k | v |\n| --- | --- |\n| a | 1 |",
    ]);
  });

  it("keeps every row of a huge sheet", async () => {
    const rows = Array.from(
      { length: 30_000 },
      (_, index) =>
        `<row r="${index + 1}"><c r="A${index + 1}"><v>${index}</v></c><c r="B${index + 1}" t="inlineStr"><is><t>x</t></is></c></row>`,
    ).join("");
    const bytes = writeXlsx([{ name: "Big", data: rows }]);
    const document = await parseFixture(bytes, "a.xlsx");
    const lines = document.elements.slice(1).flatMap(({ text }) => text.split("\n").slice(2));
    expect(lines.map((line) => Number(line.split("|")[1]))).toEqual(Array.from({ length: 29_999 }, (_, at) => at + 1));
    expect(document.warnings).toEqual([]);
    expect(await failureOf(parseFixture(bytes, "a.xlsx", { maxTextLength: 100_000 }))).toBe(
      "DOCUMENT_TOO_LARGE: It has 168,890 characters of text; the limit is 100,000.",
    );
  });

  it("costs nothing for a cell at the far end of the sheet", async () => {
    const data =
      '<row r="1"><c r="A1"><v>1</v></c><c r="XFD1"><v>2</v></c></row><row r="1048576"><c r="A1048576"><v>3</v></c><c r="B1048576"><v>4</v></c></row>';
    const document = await parseFixture(
      writeXlsx([{ name: "Far", data, after: '<mergeCells><mergeCell ref="A1:A1048576"/></mergeCells>' }]),
      "a.xlsx",
    );
    expect(outlineOf(document).slice(1)).toEqual(["table | 1 | 2 |\n| --- | --- |", "table | 3 | 4 |\n| --- | --- |"]);
    expect(document.warnings).toEqual([]);
  });

  it("costs no more for a column at the far end of the sheet than for one beside the others", async () => {
    const rows = Array.from({ length: 2_000 }, (_, at) => {
      const value = (column: string) => `<c r="${column}${at + 1}"><v>${at}</v></c>`;
      return `<row r="${at + 1}">${value("B")}${value("XFD")}${value("A")}</row>`;
    });
    const document = await parseFixture(writeXlsx([{ name: "Far", data: rows.join("") }]), "a.xlsx");
    const lines = document.elements.slice(1).flatMap(({ text }) => text.split("\n").slice(2));
    expect(lines).toEqual(Array.from({ length: 1_999 }, (_, at) => `| ${`${at + 1} | `.repeat(3).trim()}`));
  });

  it("counts formulas that were never computed", async () => {
    const data = '<row r="1"><c r="A1"><v>1</v></c><c r="B1"><f>A1*2</f></c></row>';
    expect((await parseFixture(writeXlsx([{ name: "S", data }]), "a.xlsx")).warnings[0]).toContain(
      "1 formula without a stored result",
    );
  });
});

describe("headers and footers", () => {
  const row = '<row r="1"><c r="A1" t="inlineStr"><is><t>Item</t></is></c></row>';

  it("of sheets stand at the end, each once, in the words that are printed and without mere page numbers", async () => {
    const first =
      '<headerFooter differentFirst="1"><oddHeader>&amp;L&amp;"Arial,Bold"&amp;12Contract&amp;K01+000 4711 &amp;&amp; more&amp;C&amp;A&amp;RPage &amp;P of &amp;N</oddHeader>' +
      "<oddFooter>&amp;CConfidential to all who read it, page &amp;P&amp;R&amp;D &amp;T</oddFooter><evenHeader>Of no page</evenHeader><firstHeader>Cover of &amp;A</firstHeader></headerFooter>";
    const second =
      "<headerFooter><oddHeader>&amp;C&amp;A</oddHeader><oddFooter>&amp;CConfidential to all who read it, page &amp;P&amp;R&amp;F</oddFooter></headerFooter>";
    const document = await parseFixture(
      writeXlsx([
        { name: "Prices", data: row, after: first },
        { name: "Stock", data: row, after: second },
      ]),
      "a.xlsx",
    );
    expect(document.elements.slice(4).map(({ text, container, section }) => [container, text, section])).toEqual([
      ["Page header", "Contract 4711 & more Prices", []],
      ["Page header", "Cover of Prices", []],
      ["Page footer", "Confidential to all who read it, page", []],
    ]);
  });

  it("of slides stand at the end, each once", async () => {
    const shapes = slideShape("title", "One") + slideShape("ftr", "ACME, internal") + slideShape("sldNum", "1");
    const hidden = { shapes: slideShape("ftr", "Of what is hidden"), attributes: 'show="0"' };
    const document = await parseFixture(writePptx([{ shapes }, { shapes }, hidden]), "a.pptx");
    expect(document.elements.map(({ text, container, page }) => [text, container, page])).toEqual([
      ["One", undefined, 1],
      ["One", undefined, 2],
      ["ACME, internal", "Page footer", undefined],
    ]);
  });
});

describe("comments on cells", () => {
  const row =
    '<row r="1"><c r="A1" t="inlineStr"><is><t>Item</t></is></c><c r="B1" t="inlineStr"><is><t>Price</t></is></c></row>';
  const main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
  const comments = (authors: string[], ...list: string[]) =>
    `<comments ${main}><authors>${authors.map((author) => `<author>${author}</author>`).join("")}</authors><commentList>${list.join("")}</commentList></comments>`;
  const ofSheet = (...parts: { type: string; target: string }[]) => ({
    name: "xl/worksheets/_rels/sheet1.xml.rels",
    data: relationships(parts.map((part, index) => ({ id: `rId${index}`, ...part }))),
  });

  it("stand after the sheet, with whose they are and the cell", async () => {
    const legacy = comments(
      ["Ann", ""],
      '<comment ref="B1" authorId="0"><text><r><rPr><b/></rPr><t>Ann:</t></r><r><t xml:space="preserve">\nWithout VAT?</t></r></text></comment>',
      '<comment ref="A2" authorId="1"><text><t>Empty so far.</t></text></comment>',
    );
    const document = await parseFixture(
      writeXlsx(
        [{ name: "Prices", data: row }],
        [{ name: "xl/comments1.xml", data: legacy }, ofSheet({ type: "comments", target: "../comments1.xml" })],
      ),
      "a.xlsx",
    );
    expect(outlineOf(document).slice(2)).toEqual([
      "paragraph Comment by Ann on B1: Without VAT?",
      "paragraph Comment on A2: Empty so far.",
    ]);
    expect(document.elements.at(-1)).toMatchObject({ container: "Prices", section: ["Prices"] });
  });

  it("are read as the threads that they are, and not as what older programs are told of them", async () => {
    const legacy = comments(
      ["tc={A}", "Bob"],
      '<comment ref="B1" authorId="0"><text><t>[Threaded comment] Your version of Excel allows you to read it.</t></text></comment>',
      '<comment ref="A1" authorId="1"><text><t>A note.</t></text></comment>',
    );
    const threads = `<ThreadedComments xmlns="t"><threadedComment ref="B1" personId="{P1}" id="{A}"><text>Without VAT?</text></threadedComment><threadedComment ref="B1" personId="{P2}" id="{B}" parentId="{A}"><text>With.</text></threadedComment></ThreadedComments>`;
    const persons = `<personList xmlns="t"><person displayName="Ann Lee" id="{P1}"/><person displayName="Bob" id="{P2}"/></personList>`;
    const document = await parseFixture(
      writeXlsx(
        [{ name: "Prices", data: row }],
        [
          { name: "xl/comments1.xml", data: legacy },
          { name: "xl/threadedComments/threadedComment1.xml", data: threads },
          { name: "xl/persons/person.xml", data: persons },
          ofSheet(
            { type: "comments", target: "../comments1.xml" },
            { type: "threadedComment", target: "../threadedComments/threadedComment1.xml" },
          ),
        ],
        [{ id: "rId90", type: "person", target: "persons/person.xml" }],
      ),
      "a.xlsx",
    );
    expect(outlineOf(document).slice(2)).toEqual([
      "paragraph Comment by Ann Lee on B1: Without VAT?",
      "paragraph Comment by Bob on B1: With.",
      "paragraph Comment by Bob on A1: A note.",
    ]);
  });
});

describe("a part of comments that many sheets refer to", () => {
  it("is read once and said below each of them", async () => {
    const numbers = [1, 2, 3, 4];
    const note = '<comment ref="A1" authorId="0"><text><t>Why?</t></text></comment>';
    const bytes = writeXlsx(
      numbers.map((number) => ({ name: `S${number}`, data: '<row r="1"><c r="A1"><v>1</v></c></row>' })),
      [
        { name: "xl/comments1.xml", data: `<comments><commentList>${note}</commentList></comments>` },
        ...numbers.map((number) => ({
          name: `xl/worksheets/_rels/sheet${number}.xml.rels`,
          data: relationships([{ id: "rId1", type: "comments", target: "../comments1.xml" }]),
        })),
      ],
    );
    const office = await openOoxml(bytes, defaultParseLimits);
    const read: string[] = [];
    const tree = (name: string) => {
      read.push(name);
      return office.tree(name);
    };
    const { drafts } = parseXlsx({ ...office, tree }, defaultParseLimits);
    expect(drafts.filter(({ text }) => text === "Comment on A1: Why?").map(({ container }) => container)).toEqual(
      numbers.map((number) => `S${number}`),
    );
    expect(read.filter((name) => name === "xl/comments1.xml")).toHaveLength(1);
  });
});

describe("parts of notes and comments that many slides refer to", () => {
  it("are read once and said below each of them", async () => {
    const numbers = [1, 2, 3, 4];
    const beside = relationships([
      { id: "rId1", type: "notesSlide", target: "../notesSlides/notesSlide1.xml" },
      { id: "rId2", type: "comments", target: "../comments/comment1.xml" },
    ]);
    const comments = "<p:cmLst><p:cm><p:text>Why?</p:text></p:cm></p:cmLst>";
    const notes = `<p:notes><p:cSld><p:spTree>${slideShape("body", "Slowly.")}</p:spTree></p:cSld></p:notes>`;
    const named = (data: string) => data.replace(">", ' xmlns:a="urn:a" xmlns:p="urn:p">');
    const bytes = writePptx(
      numbers.map((number) => ({ shapes: slideShape("title", `Slide ${number}`) })),
      [
        { type: "other", target: "comments/comment1.xml", data: named(comments) },
        { type: "other", target: "notesSlides/notesSlide1.xml", data: named(notes) },
        ...numbers.map((number) => ({
          type: "other",
          target: `slides/_rels/slide${number}.xml.rels`,
          data: beside,
        })),
      ],
    );
    const office = await openOoxml(bytes, defaultParseLimits);
    const read: string[] = [];
    const tree = (name: string) => {
      read.push(name);
      return office.tree(name);
    };
    const { drafts } = parsePptx({ ...office, tree }, defaultParseLimits);
    expect(drafts.map(({ text, page }) => `${page} ${text}`)).toEqual(
      numbers.flatMap((number) => [`${number} Slide ${number}`, `${number} Slowly.`, `${number} Comment: Why?`]),
    );
    expect(read.filter((name) => /notesSlide1|comment1/u.test(name))).toHaveLength(2);
  });
});

describe("a workbook with a damaged part beside its cells", () => {
  const sheet = { name: "S", data: '<row r="1"><c r="A1" t="inlineStr"><is><t>cell</t></is></c></row>' };
  const ofSheet = {
    name: "xl/worksheets/_rels/sheet1.xml.rels",
    data: relationships([{ id: "rId1", type: "comments", target: "../comments1.xml" }]),
  };
  const note = '<comment ref="A1" authorId="0"><text><t>Why?</t></text></comment>';
  const notes = (author: string) =>
    `<comments><authors><author>${author}</author></authors><commentList>${note}</commentList></comments>`;
  const persons = { name: "xl/persons/person.xml", data: "<personList><person id=1/></personList>" };
  const ofPersons = [{ id: "rId90", type: "person", target: "persons/person.xml" }];

  it.each([
    ["notes", [ofSheet, { name: "xl/comments1.xml", data: notes("a & b") }], "Comments of a sheet", ["cell"]],
    ["relationships", [{ ...ofSheet, data: "<Relationships>" }], "Comments of a sheet", ["cell"]],
    [
      "persons",
      [ofSheet, { name: "xl/comments1.xml", data: notes("Ann") }, persons],
      "Who wrote comments",
      ["cell", "Comment by Ann on A1: Why?"],
    ],
  ])("is read without its %s, and says so", async (_, parts, what, texts) => {
    const document = await parseFixture(writeXlsx([sheet], parts, ofPersons), "a.xlsx");
    expect(document.elements.slice(1).map(({ text }) => text)).toEqual(texts);
    expect(document.warnings).toEqual([expect.stringContaining(`${what} could not be read and was left out: xl/`)]);
  });

  it("says it once of a part that many sheets refer to", async () => {
    const sheets = [1, 2, 3].map((number) => ({ ...sheet, name: `S${number}` }));
    const parts = [1, 2, 3].map((number) => ({ ...ofSheet, name: `xl/worksheets/_rels/sheet${number}.xml.rels` }));
    const document = await parseFixture(
      writeXlsx(sheets, [...parts, { name: "xl/comments1.xml", data: "<comments>" }]),
      "a.xlsx",
    );
    expect(document.warnings).toHaveLength(1);
  });
});

describe("PPTX", () => {
  it("tells where shapes stand on their slide, also in groups, and nothing of those that do not say it", async () => {
    const inner = '<a:chOff x="0" y="0"/><a:chExt cx="100" cy="100"/>';
    const group = (frame: string, ...shapes: string[]) =>
      `<p:grpSp><p:nvGrpSpPr/><p:grpSpPr>${frame}</p:grpSpPr>${shapes.join("")}</p:grpSp>`;
    const picture = `<p:pic><p:nvPicPr><p:cNvPr id="3" name="p" descr="A pump"/></p:nvPicPr><p:spPr>${slideFrame(9000, 6000, 6000, 1000)}</p:spPr></p:pic>`;
    const table = `<p:graphicFrame><p:nvGraphicFramePr/>${slideFrame(0, 0, 12_000, 8000).replaceAll("a:xfrm", "p:xfrm")}<a:graphic><a:graphicData><a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>Cell</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl></a:graphicData></a:graphic></p:graphicFrame>`;
    const shapes = [
      framedShape("title", slideFrame(1200, 800, 9600, 1600), "Results"),
      group(
        slideFrame(6000, 4000, 6000, 4000, inner),
        group(slideFrame(0, 0, 50, 100, inner), framedShape(null, slideFrame(50, 0, 50, 50), "Grouped")),
      ),
      picture,
      table,
      slideShape("body", "By the layout"),
      framedShape(null, slideFrame(0, 0, 6000, 4000, "", 'rot="2700000"'), "Turned"),
      group(
        slideFrame(0, 0, 50, 50, '<a:chOff x="0" y="0"/><a:chExt cx="0" cy="0"/>'),
        framedShape(null, slideFrame(0, 0, 1, 1), "In no frame"),
      ),
    ];
    const document = await parseFixture(writePptx([{ shapes: shapes.join(""), notes: "Say thanks." }]), "a.pptx");
    expect(document.elements.map(({ text, page, box }) => [text.split("\n")[0], page, box])).toEqual([
      ["Results", 1, { left: 0.1, top: 0.1, width: 0.8, height: 0.2 }],
      ["Grouped", 1, { left: 0.625, top: 0.5, width: 0.125, height: 0.25 }],
      ["A pump", 1, { left: 0.75, top: 0.75, width: 0.25, height: 0.125 }],
      ["| Cell |", 1, { left: 0, top: 0, width: 1, height: 1 }],
      ["By the layout", 1, undefined],
      ["Turned", 1, undefined],
      ["In no frame", 1, undefined],
      ["Say thanks.", 1, undefined],
    ]);
  });

  it("tells where a placeholder stands by its layout, and by its master where that leaves it open", async () => {
    const [own, ofLayout, ofMaster] = [
      slideFrame(0, 0, 1200, 800),
      slideFrame(1200, 800, 2400, 1600),
      slideFrame(2400, 1600, 4800, 3200),
    ];
    const turned = slideFrame(0, 0, 6000, 4000, "", 'rot="2700000"');
    const layout = {
      master: placeholderShape('type="title"', ofMaster) + placeholderShape('type="body" idx="1"', ofMaster),
      layout: [
        placeholderShape('type="ctrTitle"', ""),
        placeholderShape('type="body"', slideFrame(0, 0, 6000, 4000)),
        placeholderShape('idx="1"', ofLayout),
        placeholderShape('type="subTitle" idx="2"', ""),
        placeholderShape('type="tbl" idx="3"', turned),
        placeholderShape('type="pic" idx="13"', ofLayout),
      ].join(""),
    };
    const picture = `<p:pic><p:nvPicPr><p:cNvPr id="3" name="x" descr="A pump"/><p:cNvPicPr/><p:nvPr><p:ph type="pic" idx="13"/></p:nvPr></p:nvPicPr><p:spPr/></p:pic>`;
    const shapes = [
      placeholderShape('type="title"', "", "Title of another kind"),
      placeholderShape('idx="1"', "", "By its number"),
      placeholderShape('type="subTitle" idx="2"', "", "By the master"),
      placeholderShape('idx="1"', own, "By itself"),
      placeholderShape('idx="1"', turned, "Turned"),
      placeholderShape('type="tbl" idx="3"', "", "Turned by its layout"),
      placeholderShape('type="body" idx="99"', "", "In no layout"),
      picture,
      framedShape(null, "", "No placeholder"),
    ];
    const slide = { shapes: shapes.join(""), layout };
    const document = await parseFixture(writePptx([slide]), "a.pptx");
    const [first, second] = [
      { left: 0.1, top: 0.1, width: 0.2, height: 0.2 },
      { left: 0.2, top: 0.2, width: 0.4, height: 0.4 },
    ];
    expect(document.elements.map(({ text, box }) => [text, box])).toEqual([
      ["Title of another kind", second],
      ["By its number", first],
      ["By the master", second],
      ["By itself", { left: 0, top: 0, width: 0.1, height: 0.1 }],
      ["Turned", undefined],
      ["Turned by its layout", undefined],
      ["In no layout", undefined],
      ["A pump", first],
      ["No placeholder", undefined],
    ]);
    expect(document.warnings).toEqual([]);
  });

  it("is read without a layout that is damaged, and says so", async () => {
    const layout = { layout: "<p:sp>", master: "" };
    const shapes = placeholderShape('type="title"', "", "Slide");
    const document = await parseFixture(writePptx([{ shapes, layout }]), "a.pptx");
    expect(document.elements.map(({ text, box }) => [text, box])).toEqual([["Slide", undefined]]);
    expect(document.warnings).toEqual([
      expect.stringMatching(/^Where a slide's placeholders stand could not be read/u),
    ]);
  });

  it("keeps a slide's comments and the answers to them, in the form of any PowerPoint, with whose they are", async () => {
    const slide = (comments: string) => ({ shapes: slideShape("body", "Revenue up"), comments });
    const document = await parseFixture(
      writePptx(
        [
          slide(`<p:cmLst xmlns:p="p"><p:cm authorId="0"><p:text>Since when?</p:text></p:cm></p:cmLst>`),
          slide(
            `<p188:cmLst xmlns:p188="q" xmlns:a="a"><p188:cm authorId="{1}"><p188:replyLst><p188:reply authorId="{9}"><p188:txBody><a:p><a:r><a:t>Done.</a:t></a:r></a:p></p188:txBody></p188:reply></p188:replyLst><p188:txBody><a:p><a:r><a:t>Check</a:t></a:r></a:p><a:p><a:r><a:t>twice.</a:t></a:r></a:p></p188:txBody></p188:cm></p188:cmLst>`,
          ),
        ],
        [
          {
            type: "commentAuthors",
            target: "commentAuthors.xml",
            data: `<p:cmAuthorLst xmlns:p="p"><p:cmAuthor id="0" name="Ann"/></p:cmAuthorLst>`,
          },
          {
            type: "authors",
            target: "authors.xml",
            data: `<p188:authorLst xmlns:p188="q"><p188:author id="{1}" name="Bob"/></p188:authorLst>`,
          },
        ],
      ),
      "a.pptx",
    );
    expect(document.elements.map((element) => `${element.page} ${element.kind} ${element.text}`)).toEqual([
      "1 paragraph Revenue up",
      "1 paragraph Comment by Ann: Since when?",
      "2 paragraph Revenue up",
      "2 paragraph Comment by Bob: Check\ntwice.",
      "2 paragraph Comment: Done.",
    ]);
  });

  it("is read without comments, notes or authors that are damaged, and says so", async () => {
    const document = await parseFixture(
      writePptx(
        [{ shapes: slideShape("title", "Slide"), comments: "<p:cmLst><p:cm authorId=1/></p:cmLst>" }],
        [{ type: "authors", target: "authors.xml", data: "<p188:authorLst>" }],
      ),
      "a.pptx",
    );
    expect(outlineOf(document)).toEqual(["heading1 Slide"]);
    expect(document.warnings).toEqual([
      expect.stringContaining("Who wrote comments could not be read and was left out: ppt/authors.xml"),
      expect.stringContaining("Comments on a slide could not be read and was left out: ppt/comments/comment1.xml"),
    ]);
    const withNotes = writePptx([{ shapes: slideShape("title", "Slide"), notes: "a & b" }]);
    expect((await parseFixture(withNotes, "a.pptx")).warnings).toEqual([
      expect.stringMatching(/^Speaker notes could not be read/u),
    ]);
  });

  it("keeps as many lines of a shape and of notes as there are", async () => {
    const many = 130_000;
    const lines = `x${"</a:t></a:r></a:p><a:p><a:r><a:t>x".repeat(many - 1)}`;
    const document = await parseFixture(writePptx([{ shapes: slideShape(null, lines), notes: lines }]), "a.pptx");
    expect(document.elements).toHaveLength(2 * many);
  });

  it("keeps every value of a chart", async () => {
    const points = (value: (at: number) => string) =>
      Array.from({ length: 20_000 }, (_, at) => `<c:pt idx="${at}"><c:v>${value(at)}</c:v></c:pt>`).join("");
    const series = `<c:ser><c:tx><c:pt idx="0"><c:v>Load</c:v></c:pt></c:tx><c:cat>${points((at) => `t${at}`)}</c:cat><c:val>${points(String)}</c:val></c:ser>`;
    const frame =
      '<p:graphicFrame><a:graphic><a:graphicData><c:chart xmlns:c="c" r:id="rId1"/></a:graphicData></a:graphic></p:graphicFrame>';
    const chart = `<c:chartSpace xmlns:c="c"><c:chart><c:plotArea>${series}</c:plotArea></c:chart></c:chartSpace>`;
    const document = await parseFixture(writePptx([{ shapes: frame, chart }]), "a.pptx");
    const lines = document.elements.flatMap(({ text }) => text.split("\n").slice(2));
    expect(lines).toEqual(Array.from({ length: 20_000 }, (_, at) => `| t${at} | ${at} |`));
  });

  it("keeps the letters of a formula, and hides a slide in either word for it", async () => {
    const math = `<a14:m xmlns:a14="urn:a14"><m:oMath xmlns:m="urn:m"><m:r><m:t>x=1</m:t></m:r></m:oMath></a14:m>`;
    const choice = `<mc:AlternateContent xmlns:mc="urn:mc"><mc:Choice Requires="a14">${math}</mc:Choice><mc:Fallback><a:r><a:t>?</a:t></a:r></mc:Fallback></mc:AlternateContent>`;
    const shape = slideShape(null, "TEXT").replace(
      "<a:r><a:t>TEXT</a:t></a:r>",
      `${choice}<a:r><a:t> and </a:t></a:r>${math}`,
    );
    const hidden = { shapes: slideShape("title", "Hidden"), attributes: 'show="false"' };
    const document = await parseFixture(writePptx([{ shapes: shape }, hidden]), "a.pptx");
    expect(outlineOf(document)).toEqual(["paragraph x=1 and x=1"]);
    expect(document.warnings).toEqual(["The hidden slide 2 was left out."]);
  });

  it("reads slides in the order in which they are shown, with title, body, table, notes and page", async () => {
    const table =
      '<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="4" name="t"/></p:nvGraphicFramePr><a:graphic><a:graphicData><a:tbl>' +
      [
        ["Region", "Sales"],
        ["North", "10"],
      ]
        .map(
          (row) =>
            `<a:tr>${row.map((text) => `<a:tc><a:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></a:txBody></a:tc>`).join("")}</a:tr>`,
        )
        .join("") +
      "</a:tbl></a:graphicData></a:graphic></p:graphicFrame>";
    const document = await parseFixture(
      writePptx([
        { shapes: slideShape("subTitle", "Team North") + slideShape("ctrTitle", "Review") },
        {
          shapes:
            slideShape("sldNum", "2") + slideShape("body", "Revenue up", "Costs flat") + slideShape("title", "Results"),
          notes: "Say thanks.",
        },
        { shapes: slideShape("title", "Secret"), attributes: 'show="0"' },
        { shapes: `<p:grpSp><p:nvGrpSpPr/>${slideShape(null, "Grouped")}</p:grpSp>${table}` },
      ]),
      "a.pptx",
    );
    expect(document.title).toBe("Review");
    expect(document.elements.map((element) => `${element.page} ${element.kind} ${element.text}`)).toEqual([
      "1 title Review",
      "1 paragraph Team North",
      "2 heading Results",
      "2 list - Revenue up\n- Costs flat",
      "2 paragraph Say thanks.",
      "4 paragraph Grouped",
      "4 table | Region | Sales |\n| --- | --- |\n| North | 10 |",
    ]);
    expect(document.elements[4]?.container).toBe("Speaker notes");
    expect(document.warnings).toEqual(["The hidden slide 3 was left out."]);
  });
});
