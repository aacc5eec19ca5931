import type { ParsedDocument } from "@anneal/core/document/element";
import { describe, expect, it } from "vitest";
import { deflatedArchive } from "../testing/archive-fixture.ts";
import { writeOdf } from "../testing/office-fixture.ts";
import { failureOf, outlineOf, parseFixture } from "../testing/outline-of.ts";

const p = (text: string, style = "Standard") => `<text:p text:style-name="${style}">${text}</text:p>`;
const h = (text: string, level = 1) => `<text:h text:outline-level="${level}">${text}</text:h>`;
const item = (content: string) => `<text:list-item>${content}</text:list-item>`;
const cell = (text: string, attributes = "") => `<table:table-cell ${attributes}>${p(text)}</table:table-cell>`;
const row = (cells: string, attributes = "") => `<table:table-row ${attributes}>${cells}</table:table-row>`;
const sheet = (name: string, rows: string, attributes = "") =>
  `<table:table table:name="${name}" ${attributes}>${rows}</table:table>`;
const frame = (presentationClass: string, content: string, attributes = "") =>
  `<draw:frame presentation:class="${presentationClass}" ${attributes}><draw:text-box>${content}</draw:text-box></draw:frame>`;

describe("ODT", () => {
  it("reads title, headings, lists, tables, notes and listings with their section", async () => {
    const numbers = `<text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="1"/></text:list-style>`;
    const title = `<style:style style:name="P1" style:family="paragraph" style:parent-style-name="Title"/>`;
    const note = `<text:note><text:note-citation>1</text:note-citation><text:note-body>${p("See below.")}</text:note-body></text:note>`;
    const body =
      p("Guide", "P1") +
      h("Limits") +
      p(`Two<text:s text:c="2"/>words<text:line-break/>and <text:span>more</text:span>${note}.`) +
      `<text:list text:style-name="L1">${item(p("first"))}${item(p("second") + `<text:list>${item(p("inner"))}</text:list>`)}</text:list>` +
      `<table:table><table:table-header-rows>${row(cell("Part") + cell("Limit"))}</table:table-header-rows>` +
      `${row(cell("Pump", 'table:number-rows-spanned="2"') + cell("1"))}${row(`<table:covered-table-cell/>${cell("2")}`)}</table:table>` +
      h("More", 2) +
      p("if x:", "Preformatted_20_Text") +
      p('<text:s text:c="2"/>run()', "Preformatted_20_Text");
    const document = await parseFixture(writeOdf("text", body, { automaticStyles: numbers + title }), "a.odt");
    expect(document.title).toBe("Guide");
    expect(document.mediaType).toBe("application/vnd.oasis.opendocument.text");
    expect(outlineOf(document)).toEqual([
      "title Guide",
      "heading1 Limits",
      "paragraph Two words\nand more[1].",
      "list 1. first\n2. second\n  - inner",
      "table | Part | Limit |\n| --- | --- |\n| Pump | 1 |\n| Pump | 2 |",
      "heading2 More",
      "code if x:\n  run()",
      "list - [1] See below.",
    ]);
    expect(document.elements[6]?.section).toEqual(["Guide", "Limits", "More"]);
  });

  it("says whose comment it is after the paragraph, list or table that it is on", async () => {
    const comment = (author: string, ...said: string[]) =>
      `<office:annotation><dc:creator>${author}</dc:creator><dc:date>2026-03-01</dc:date>${said.map((text) => p(text)).join("")}</office:annotation>`;
    const body =
      `<text:section>${p(`Twelve${comment("Ann", "Eleven?", "Please count.")} pumps.`)}${p("Next.")}</text:section>` +
      `<text:list>${item(p(`first${comment("Bob", "Why?")}`))}${item(p("second"))}</text:list>` +
      `<table:table>${row(cell(`Part${comment("", "Which?")}`) + cell("Limit"))}</table:table>` +
      p("End.");
    expect(outlineOf(await parseFixture(writeOdf("text", body), "a.odt"))).toEqual([
      "paragraph Twelve pumps.",
      "paragraph Comment by Ann: Eleven?\nPlease count.",
      "paragraph Next.",
      "list - first\n- second",
      "paragraph Comment by Bob: Why?",
      "table | Part | Limit |\n| --- | --- |",
      "paragraph Comment: Which?",
      "paragraph End.",
    ]);
  });

  it("leaves out deleted text and hidden sections, and keeps what a text box and a picture say", async () => {
    const body =
      `<text:tracked-changes><text:changed-region><text:deletion>${p("deleted")}</text:deletion></text:changed-region></text:tracked-changes>` +
      `<text:section text:display="none">${p("hidden")}</text:section>` +
      p("Kept.") +
      p(`<draw:frame><draw:text-box>${p("In a box.")}</draw:text-box></draw:frame>`) +
      p("<draw:frame><draw:image/><svg:desc>A pump from above</svg:desc></draw:frame>");
    expect(outlineOf(await parseFixture(writeOdf("text", body), "a.odt"))).toEqual([
      "paragraph Kept.",
      "paragraph In a box.",
      "figure A pump from above",
    ]);
  });

  it("keeps headings that stand in lists, and the title of the metadata", async () => {
    const body = `<text:list>${item(h("Überblick · 概要"))}</text:list>${p("Größe: 5 µm 🙂")}${h("Ende")}`;
    const document = await parseFixture(writeOdf("text", body, { title: "Прибор" }), "a.odt");
    expect(document.title).toBe("Прибор");
    expect(document.elements.map((element) => element.text)).toEqual(["Überblick · 概要", "Größe: 5 µm 🙂", "Ende"]);
  });

  it("refuses an entity bomb, a zip bomb and endless nesting", async () => {
    const bomb = writeOdf("text", p("x"), { extra: [{ name: "bomb.xml", data: " ".repeat(64 * 1024 * 1024) }] });
    expect(await failureOf(parseFixture(bomb, "a.odt"))).toMatch(/^DOCUMENT_HOSTILE: .*zip bomb/u);
    const spans = writeOdf("text", p("<text:span>".repeat(300) + "</text:span>".repeat(300)));
    expect(await failureOf(parseFixture(spans, "a.odt"))).toMatch(/^DOCUMENT_HOSTILE: content.xml nests/u);
    const entities = deflatedArchive([
      { name: "mimetype", data: "application/vnd.oasis.opendocument.text", stored: true },
      {
        name: "content.xml",
        data: '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c SYSTEM "file:///etc/passwd">]><a>&b;&c;</a>',
      },
    ]);
    expect(await failureOf(parseFixture(entities, "a.odt"))).toMatch(/^DOCUMENT_HOSTILE/u);
  });

  it("tells a password, a missing part and a cut-off file apart", async () => {
    const manifest = {
      name: "META-INF/manifest.xml",
      data: '<!DOCTYPE m PUBLIC "x" "Manifest.dtd"><m:manifest xmlns:m="x"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>',
    };
    expect(await failureOf(parseFixture(writeOdf("text", p("x"), { extra: [manifest] }), "a.odt"))).toMatch(
      /^DOCUMENT_ENCRYPTED/u,
    );
    const whole = writeOdf("text", p("x"));
    expect(await failureOf(parseFixture(whole.subarray(0, whole.length - 30), "a.odt"))).toMatch(/^DOCUMENT_DAMAGED/u);
    const empty = deflatedArchive([
      { name: "mimetype", data: "application/vnd.oasis.opendocument.text", stored: true },
    ]);
    expect(await failureOf(parseFixture(empty, "a.odt"))).toMatch(/^DOCUMENT_DAMAGED: .*content.xml/u);
  });
});

describe("ODS", () => {
  it("reads each sheet's blocks as tables, values as shown, and leaves hidden sheets out", async () => {
    const hidden = `<style:style style:name="ta2" style:family="table"><style:table-properties table:display="false"/></style:style>`;
    const body =
      sheet(
        "Lager",
        row(cell("Teil") + cell("Preis")) +
          row(cell("Pumpe") + cell("1.234,50 €", 'office:value-type="currency" office:value="1234.5"')) +
          row('<table:table-cell table:number-columns-repeated="16384"/>', 'table:number-rows-repeated="1048570"') +
          row(`<table:table-cell office:value="7"/>${cell("x")}`),
      ) + sheet("Secret", row(cell("hidden")), 'table:style-name="ta2"');
    const document = await parseFixture(writeOdf("spreadsheet", body, { automaticStyles: hidden }), "a.ods");
    expect(outlineOf(document)).toEqual([
      "heading1 Lager",
      "table | Teil | Preis |\n| --- | --- |\n| Pumpe | 1.234,50 € |",
      "table | 7 | x |\n| --- | --- |",
    ]);
    expect(document.elements[1]).toMatchObject({ container: "Lager", section: ["Lager"] });
    expect(document.warnings).toEqual(['The hidden sheet "Secret" was left out.']);
  });

  it("repeats a cell that is merged over rows in each of them, and one merged over columns not", async () => {
    const wide = cell("Total", 'table:number-columns-spanned="2"');
    const body = sheet(
      "S",
      row(cell("Part") + cell("Limit")) +
        row(cell("Pump", 'table:number-rows-spanned="2"') + cell("1")) +
        row(`<table:covered-table-cell/>${cell("2")}`) +
        row(`${wide}<table:covered-table-cell/>${cell("3")}`),
    );
    expect(outlineOf(await parseFixture(writeOdf("spreadsheet", body), "a.ods"))[1]).toBe(
      "table | Part | Limit |  |\n| --- | --- | --- |\n| Pump | 1 |  |\n| Pump | 2 |  |\n| Total |  | 3 |",
    );
  });

  it("keeps a cell's comment out of it and after the sheet, and says when a formula has no result", async () => {
    const comment = `<office:annotation><dc:creator>Ann</dc:creator><dc:date>2026-03-01</dc:date>${p("Really?")}${p("Twice.")}</office:annotation>`;
    const commented = `<table:table-cell>${comment}${p("a")}${p("b")}</table:table-cell>`;
    const far = `<table:table-cell table:number-columns-repeated="27"/><table:table-cell>${comment}</table:table-cell>`;
    const body = sheet(
      "S",
      row(`${commented}${cell("c")}<table:table-cell table:formula="of:=1+1"/>`, 'table:number-rows-repeated="2"') +
        row(far),
    );
    const document = await parseFixture(writeOdf("spreadsheet", body), "a.ods");
    expect(outlineOf(document)).toEqual([
      "heading1 S",
      "table | a b | c |\n| --- | --- |\n| a b | c |",
      "paragraph Comment by Ann on A1: Really?\nTwice.",
      "paragraph Comment by Ann on AB3: Really?\nTwice.",
    ]);
    expect(document.elements.at(-1)).toMatchObject({ container: "S", section: ["S"] });
    expect(document.warnings[0]).toContain("1 formula without a stored result");
  });

  it("keeps every row of a huge sheet, whatever a hidden one holds", async () => {
    const hidden = `<style:style style:name="ta2" style:family="table"><style:table-properties table:display="false"/></style:style>`;
    const rows = Array.from({ length: 12_000 }, (_, at) => row(cell(`${at}`) + cell("x")));
    const body =
      sheet("Secret", row(cell("x".repeat(100)), 'table:number-rows-repeated="20000"'), 'table:style-name="ta2"') +
      sheet("Big", rows.join(""));
    const document = await parseFixture(writeOdf("spreadsheet", body, { automaticStyles: hidden }), "a.ods", {
      maxTextLength: 1_000_000,
    });
    const lines = document.elements.slice(1).flatMap(({ text }) => text.split("\n").slice(2));
    expect(lines).toHaveLength(11_999);
    expect(lines.at(-1)).toBe("| 11999 | x |");
    expect(document.warnings).toEqual(['The hidden sheet "Secret" was left out.']);
  });

  it("ends rows and cells that a few bytes repeat a million times at the limits", async () => {
    const wide = cell("x".repeat(1000), 'table:number-columns-repeated="1000000000"');
    const body = sheet("S", row(wide, 'table:number-rows-repeated="1000000000"'));
    const small = { maxTextLength: 1_000_000 };
    expect(await failureOf(parseFixture(writeOdf("spreadsheet", body), "a.ods", small))).toMatch(
      /^DOCUMENT_TOO_LARGE: It has [1-3],\d{3},\d{3} characters of text; the limit is 1,000,000\.$/u,
    );
  });

  it("reads every column, and what stands behind very many empty ones", async () => {
    const wide = Array.from({ length: 300 }, (_, column) => cell(`c${column}`)).join("");
    const far = `${cell("a")}<table:table-cell table:number-columns-repeated="16000"/>${cell("far")}`;
    const document = await parseFixture(
      writeOdf("spreadsheet", sheet("Wide", row(wide).repeat(2)) + sheet("Far", row(far).repeat(2_000))),
      "a.ods",
    );
    const said = document.elements.map(({ text }) => text).join("\n");
    expect(said).toContain("| c0 | c295 | c296 | c297 | c298 | c299 |");
    expect(said.match(/^\| a \| far \|$/gmu)!.length).toBeGreaterThanOrEqual(2_000);
    expect(document.warnings).toEqual([]);
  });
});

it("a cell of a text or a sheet has as many comments as somebody wrote", async () => {
  const many = 130_000;
  const comments = `<office:annotation>${p("x")}</office:annotation>`.repeat(many);
  const table = sheet("S", row(`<table:table-cell>${comments}${p("a")}</table:table-cell>`));
  for (const [kind, name] of [
    ["text", "a.odt"],
    ["spreadsheet", "a.ods"],
  ] as const) {
    const document = await parseFixture(writeOdf(kind, table), name, { maxTextLength: 100_000_000 });
    const said = document.elements.filter(({ text }) => text.startsWith("Comment"));
    expect(said, name).toHaveLength(many);
  }
});

it("a text is read without a title or styles of its own that are damaged, and says so", async () => {
  const body = `${h("Limits")}${p("Text.")}`;
  for (const [options, what] of [
    [{ title: "a & b" }, "The document's own title"],
    [{ styles: "<style:style b=1/>" }, "The document's styles"],
  ] as const) {
    const document = await parseFixture(writeOdf("text", body, options), "a.odt");
    expect(outlineOf(document)).toEqual(["title Limits", "paragraph Text."]);
    expect(document.warnings).toEqual([expect.stringMatching(`^${what} could not be read and was left out:`)]);
  }
});

it("a text box has as many paragraphs as somebody wrote", async () => {
  const many = 130_000;
  const box = frame("outline", p("x").repeat(many));
  for (const [kind, body, name] of [
    ["text", `<text:p>${box}</text:p>`, "a.odt"],
    ["presentation", `<draw:page>${box}</draw:page>`, "a.odp"],
  ] as const) {
    expect((await parseFixture(writeOdf(kind, body), name)).elements, name).toHaveLength(many);
  }
});

describe("headers and footers", () => {
  const page = (name: string, parts: string, next = "") =>
    `<style:master-page style:name="${name}" style:next-style-name="${next}">${parts}</style:master-page>`;
  const count = "<text:tab/>Page <text:page-number>1</text:page-number> of <text:page-count>9</text:page-count>";
  const placesOf = (document: ParsedDocument, from: number) =>
    document.elements.slice(from).map(({ text, container, section }) => [container, text, section]);

  it("of a text stand at its end, each once, of the pages that it has", async () => {
    const masterStyles =
      page(
        "Standard",
        `<style:header>${p(`Contract 4711${count}`)}<table:table>${row(cell("Owner") + cell("Finance"))}</table:table></style:header>` +
          `<style:header-left style:display="false">${p("Of no page")}</style:header-left>` +
          `<style:footer>${p("Confidential, printed <text:date>1 May</text:date>")}${p(`<draw:frame><draw:text-box>${p("In a box")}</draw:text-box></draw:frame>`)}</style:footer>`,
      ) +
      page("First", `<style:header>${p("Contract 4711")}${p("Cover")}</style:header>`, "Second") +
      page("Second", `<style:header>${p("After the cover")}</style:header>`) +
      page("Unused", `<style:header>${p("Of nothing")}</style:header>`);
    const automaticStyles =
      '<style:style style:name="P1" style:family="paragraph" style:parent-style-name="Cover"/><style:style style:name="P2" style:family="paragraph" style:master-page-name="Unused"/>';
    const styles = '<style:style style:name="Cover" style:family="paragraph" style:master-page-name="First"/>';
    const body = h("Limits") + p("Text.", "P1");
    const document = await parseFixture(writeOdf("text", body, { automaticStyles, styles, masterStyles }), "a.odt");
    expect(placesOf(document, 2)).toEqual([
      ["Page header", "Contract 4711", []],
      ["Page header", "Owner | Finance", []],
      ["Page header", "Cover", []],
      ["Page header", "After the cover", []],
      ["Page footer", "Confidential, printed", []],
      ["Page footer", "In a box", []],
    ]);
  });

  it("of a sheet stand at the end, without what the file does not keep", async () => {
    const masterStyles =
      page("Default", `<style:header>${p("<text:sheet-name>???</text:sheet-name>")}</style:header>`) +
      page(
        "Landscape",
        `<style:header><style:region-left>${p("Budget 2026")}</style:region-left><style:region-right>${p(count)}</style:region-right></style:header>`,
      ) +
      page("Internal", `<style:header>${p("Of what is hidden")}</style:header>`);
    const automaticStyles =
      '<style:style style:name="ta1" style:family="table" style:master-page-name="Landscape"/>' +
      '<style:style style:name="ta2" style:family="table" style:master-page-name="Internal"><style:table-properties table:display="false"/></style:style>';
    const body =
      sheet("S", row(cell("a") + cell("b")), 'table:style-name="ta1"') +
      sheet("T", row(cell("x")), 'table:style-name="ta2"');
    const document = await parseFixture(writeOdf("spreadsheet", body, { automaticStyles, masterStyles }), "a.ods");
    expect(placesOf(document, 2)).toEqual([["Page header", "Budget 2026", []]]);
  });

  it("of slides stand at the end, each once", async () => {
    const body =
      '<presentation:footer-decl presentation:name="f1">ACME, internal</presentation:footer-decl><presentation:footer-decl presentation:name="f2">Unused</presentation:footer-decl>' +
      `<draw:page presentation:use-footer-name="f1">${frame("title", p("One"))}</draw:page>`.repeat(2);
    const document = await parseFixture(writeOdf("presentation", body), "a.odp");
    expect(placesOf(document, 2)).toEqual([["Page footer", "ACME, internal", []]]);
  });
});

describe("ODP", () => {
  it("reads slides in order with their number, notes and tables, and leaves hidden slides and placeholders out", async () => {
    const hidden = `<style:style style:name="dp2" style:family="drawing-page"><style:drawing-page-properties presentation:visibility="hidden"/></style:style>`;
    const notes = `<office:annotation svg:x="1cm"><dc:creator>Ann</dc:creator>${p("Shorter?")}</office:annotation><presentation:notes>${frame("notes", p("Say hello."))}</presentation:notes>`;
    const body =
      `<draw:page>${frame("title", p("Ergebnisse 2026"))}${frame("subtitle", p("Köln"))}${frame("footer", p("page"))}${notes}</draw:page>` +
      `<draw:page draw:style-name="dp2">${frame("title", p("Hidden"))}</draw:page>` +
      `<draw:page>${frame("outline", `<text:list>${item(p("one"))}${item(p("two"))}</text:list>`)}${frame("title", p("Numbers"))}` +
      `${frame("outline", p("Click to add"), 'presentation:placeholder="true"')}` +
      `<draw:g><draw:custom-shape>${p("In a group.")}</draw:custom-shape></draw:g>` +
      `<draw:frame><table:table>${row(cell("A") + cell("B"))}${row(cell("1") + cell("2"))}</table:table></draw:frame></draw:page>`;
    const document = await parseFixture(writeOdf("presentation", body, { automaticStyles: hidden }), "a.odp");
    expect(document.title).toBe("Ergebnisse 2026");
    expect(outlineOf(document)).toEqual([
      "title Ergebnisse 2026",
      "paragraph Köln",
      "paragraph Say hello.",
      "paragraph Comment by Ann: Shorter?",
      "heading1 Numbers",
      "list - one\n- two",
      "paragraph In a group.",
      "table | A | B |\n| --- | --- |\n| 1 | 2 |",
    ]);
    expect(document.elements[2]).toMatchObject({ page: 1, container: "Speaker notes" });
    expect(document.elements[5]).toMatchObject({ page: 3, section: ["Ergebnisse 2026", "Numbers"] });
    expect(document.warnings).toEqual(["The hidden slide 2 was left out."]);
  });
});
