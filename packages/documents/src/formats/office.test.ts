import ExcelJS from "exceljs";
import { describe, expect, it } from "vitest";
import { deflatedArchive } from "../testing/archive-fixture.ts";
import {
  docxParagraph,
  relationships,
  slideShape,
  writeDocx,
  writePptx,
  writeXlsx,
} from "../testing/office-fixture.ts";
import { failureOf, outlineOf, parseFixture } from "../testing/outline-of.ts";

describe("DOCX", () => {
  it("reads title, headings and tables with their section", async () => {
    const cell = (text: string, properties = "") => `<w:tc><w:tcPr>${properties}</w:tcPr>${docxParagraph(text)}</w:tc>`;
    const table = `<w:tbl><w:tr>${cell("Part")}${cell("Limit")}</w:tr><w:tr>${cell("Pump", '<w:vMerge w:val="restart"/>')}${cell("1")}</w:tr><w:tr>${cell("", "<w:vMerge/>")}${cell("2")}</w:tr></w:tbl>`;
    const document = await parseFixture(
      writeDocx(
        docxParagraph("Guide", "Title") +
          docxParagraph("Limits", "Heading1") +
          docxParagraph("Text.") +
          table +
          docxParagraph("More", "Heading2") +
          docxParagraph("End."),
      ),
      "a.docx",
    );
    expect(document.title).toBe("Guide");
    expect(outlineOf(document)).toEqual([
      "title Guide",
      "heading1 Limits",
      "paragraph Text.",
      "table | Part | Limit |\n| --- | --- |\n| Pump | 1 |\n| Pump | 2 |",
      "heading2 More",
      "paragraph End.",
    ]);
    expect(document.elements.at(-1)?.section).toEqual(["Guide", "Limits", "More"]);
  });

  it("keeps the words of fields, of text in another direction, under a reading, in formulas and in old text boxes", async () => {
    const run = (text: string) => `<w:r><w:t xml:space="preserve">${text}</w:t></w:r>`;
    const math = (text: string) => `<m:r><w:rPr><w:b/></w:rPr><m:t>${text}</m:t></m:r>`;
    const names =
      'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" xmlns:v="urn:schemas-microsoft-com:vml"';
    const paragraphs = [
      `${run("Table ")}<w:fldSimple w:instr=" SEQ Table ">${run("7")}</w:fldSimple>${run(": limits")}`,
      `<w:dir w:val="rtl">${run("שלום")}</w:dir><w:bdo w:val="rtl">${run(" עולם")}</w:bdo>`,
      `<w:r><w:ruby><w:rubyPr/><w:rt>${run("かんじ")}</w:rt><w:rubyBase>${run("漢字")}</w:rubyBase></w:ruby></w:r>`,
      `${run("Let ")}<m:oMath><m:f><m:fPr><m:type m:val="bar"/></m:fPr><m:num>${math("a")}</m:num><m:den>${math("b")}</m:den></m:f><m:sSup><m:e>${math("+x")}</m:e><m:sup>${math("2")}</m:sup></m:sSup></m:oMath>${run(" be.")}`,
      `<w:r><w:t>one</w:t><w:cr/><w:t>two</w:t></w:r>`,
      `<w:r><w:pict><v:oval><v:textbox><w:txbxContent>${docxParagraph("In an oval")}</w:txbxContent></v:textbox></v:oval></w:pict></w:r>`,
    ];
    const document = await parseFixture(
      writeDocx(paragraphs.map((content) => `<w:p ${names}>${content}</w:p>`).join("")),
      "a.docx",
    );
    expect(outlineOf(document)).toEqual([
      "paragraph Table 7: limits",
      "paragraph שלום עולם",
      "paragraph 漢字",
      "paragraph Let a/b+x^2 be.",
      "paragraph one\ntwo",
      "paragraph In an oval",
    ]);
  });

  it("says that a part in another format was left out", async () => {
    const document = await parseFixture(writeDocx(`${docxParagraph("Before.")}<w:altChunk r:id="rId9"/>`), "a.docx");
    expect(outlineOf(document)).toEqual(["paragraph Before."]);
    expect(document.warnings).toEqual([
      "1 part in another format left out; open the document in Word and save it once.",
    ]);
  });

  it("ignores macros with a warning and never follows an external reference", async () => {
    const document = await parseFixture(
      writeDocx(docxParagraph("Text."), [
        { name: "word/vbaProject.bin", data: "macro" },
        {
          name: "word/_rels/footnotes.xml.rels",
          data: relationships([{ id: "rId9", type: "image", target: "http://127.0.0.1:9/x.png", external: true }]),
        },
      ]),
      "a.docm",
    );
    expect(outlineOf(document)).toEqual(["paragraph Text."]);
    expect(document.warnings).toEqual(["The document's macros were ignored."]);
  });

  it("refuses an entity bomb inside", async () => {
    const bomb = {
      name: "word/footnotes.xml",
      data: '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>',
    };
    expect(await failureOf(parseFixture(writeDocx(docxParagraph("Text."), [bomb]), "a.docx"))).toMatch(
      /^DOCUMENT_HOSTILE/u,
    );
  });

  it("refuses a zip bomb inside", async () => {
    const bomb = { name: "word/media.xml", data: `<x>${" ".repeat(64 * 1024 * 1024)}</x>` };
    expect(await failureOf(parseFixture(writeDocx(docxParagraph("Text."), [bomb]), "a.docx"))).toMatch(
      /^DOCUMENT_HOSTILE: .*zip bomb/u,
    );
  });

  it("tells damage and passwords apart", async () => {
    const whole = writeDocx(docxParagraph("Text."));
    expect(await failureOf(parseFixture(whole.subarray(0, whole.length - 30), "a.docx"))).toMatch(/^DOCUMENT_DAMAGED/u);
    const encrypted = Buffer.concat([
      Buffer.from("d0cf11e0a1b11ae1", "hex"),
      Buffer.alloc(2000),
      Buffer.from("EncryptedPackage", "utf16le"),
    ]);
    expect(await failureOf(parseFixture(encrypted, "a.docx"))).toMatch(/^DOCUMENT_ENCRYPTED/u);
    expect(
      await failureOf(parseFixture(deflatedArchive([{ name: "[Content_Types].xml", data: "<Types/>" }]), "a.docx")),
    ).toMatch(/^DOCUMENT_DAMAGED: .*no main part/u);
  });
});

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

  it("keeps the first rows of a huge sheet and says how many were left", async () => {
    const rows = Array.from(
      { length: 5000 },
      (_, index) =>
        `<row r="${index + 1}"><c r="A${index + 1}"><v>${index}</v></c><c r="B${index + 1}" t="inlineStr"><is><t>x</t></is></c></row>`,
    ).join("");
    const document = await parseFixture(writeXlsx([{ name: "Big", data: rows }]), "a.xlsx", {
      maxTableRows: 100,
    });
    expect(document.elements.at(-1)?.text.split("\n")).toHaveLength(101);
    expect(document.warnings).toEqual(['Sheet "Big": kept the first 100 rows, 4,900 rows left out.']);
  });

  it("costs nothing for a cell at the far end of the sheet", async () => {
    const data =
      '<row r="1"><c r="A1"><v>1</v></c><c r="XFD1"><v>2</v></c></row><row r="1048576"><c r="A1048576"><v>3</v></c><c r="B1048576"><v>4</v></c></row>';
    const document = await parseFixture(
      writeXlsx([{ name: "Far", data, after: '<mergeCells><mergeCell ref="A1:A1048576"/></mergeCells>' }]),
      "a.xlsx",
    );
    expect(document.elements.map((element) => element.kind)).toEqual(["heading", "table", "table"]);
    expect(document.warnings[0]).toContain("256 columns");
  });

  it("counts formulas that were never computed", async () => {
    const data = '<row r="1"><c r="A1"><v>1</v></c><c r="B1"><f>A1*2</f></c></row>';
    expect((await parseFixture(writeXlsx([{ name: "S", data }]), "a.xlsx")).warnings[0]).toContain(
      "1 formula without a stored result",
    );
  });
});

describe("PPTX", () => {
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
