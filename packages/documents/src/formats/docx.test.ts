import { describe, expect, it } from "vitest";
import { deflatedArchive } from "../testing/archive-fixture.ts";
import { docxParagraph, relationships, writeDocx } from "../testing/office-fixture.ts";
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

  it("says whose comment it is after the paragraph, list or table that it is on, and keeps those on nothing", async () => {
    const on = (id: number) => `<w:r><w:commentReference w:id="${id}"/></w:r>`;
    const item = (text: string, id?: number, style = "") =>
      `<w:p><w:pPr>${style}<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>${text}</w:t></w:r>${id === undefined ? "" : on(id)}</w:p>`;
    const comment = (id: number, author: string, paragraphs: string) =>
      `<w:comment w:id="${id}" w:author="${author}" w:initials="X">${paragraphs}</w:comment>`;
    const comments = [
      comment(0, "Ann", docxParagraph("Eleven?") + docxParagraph("Please count.")),
      comment(1, "Bob", docxParagraph("Twelve.")),
      comment(2, "", docxParagraph("Why first?")),
      comment(3, "Ann", '<w:p><w:fldSimple w:instr=" REF x "><w:r><w:t>Which?</w:t></w:r></w:fldSimple></w:p>'),
      comment(4, "Bob", docxParagraph("All?")),
      comment(9, "Eve", docxParagraph("On words that are gone.")),
      comment(10, "Eve", docxParagraph(" ")),
    ];
    const w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';
    const bullets =
      '<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>';
    const body =
      `<w:p><w:r><w:t>Twelve pumps.</w:t></w:r>${on(0)}${on(1)}</w:p>` +
      item("Parts", 4, '<w:pStyle w:val="Heading2"/>') +
      item("first", 2) +
      item("second") +
      `<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Part</w:t></w:r>${on(3)}</w:p></w:tc><w:tc>${docxParagraph("Limit")}</w:tc></w:tr><w:tr><w:tc>${docxParagraph("Pump")}</w:tc><w:tc>${docxParagraph("1")}</w:tc></w:tr></w:tbl>` +
      docxParagraph("End.");
    const document = await parseFixture(
      writeDocx(
        body,
        [
          { name: "word/comments.xml", data: `<w:comments ${w}>${comments.join("")}</w:comments>` },
          { name: "word/numbering.xml", data: `<w:numbering ${w}>${bullets}</w:numbering>` },
        ],
        [
          { id: "rId5", type: "comments", target: "comments.xml" },
          { id: "rId6", type: "numbering", target: "numbering.xml" },
        ],
      ),
      "a.docx",
    );
    expect(outlineOf(document)).toEqual([
      "paragraph Twelve pumps.",
      "paragraph Comment by Ann: Eleven?\nPlease count.",
      "paragraph Comment by Bob: Twelve.",
      "heading2 Parts",
      "paragraph Comment by Bob: All?",
      "list - first\n- second",
      "paragraph Comment: Why first?",
      "table | Part | Limit |\n| --- | --- |\n| Pump | 1 |",
      "paragraph Comment by Ann: Which?",
      "paragraph End.",
      "paragraph Comment by Eve: On words that are gone.",
    ]);
  });

  it("reads headers and footers that are shown, each once, under no heading and without mere page numbers", async () => {
    const w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';
    const field = (name: string, result: string) =>
      `<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> ${name} </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>${result}</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>`;
    const run = (text: string) => `<w:r><w:t xml:space="preserve">${text}</w:t></w:r>`;
    const part = (kind: "hdr" | "ftr", number: number, content: string) => ({
      name: `word/${kind}${number}.xml`,
      data: `<w:${kind} ${w}>${content}</w:${kind}>`,
    });
    const refer = (kind: "header" | "footer", type: string, id: string) =>
      `<w:${kind}Reference w:type="${type}" r:id="${id}"/>`;
    const cell = (text: string) => `<w:tc>${docxParagraph(text)}</w:tc>`;
    const parts = [
      part(
        "hdr",
        1,
        `<w:p>${run("Contract 4711")}<w:r><w:tab/></w:r>${run("Page ")}${field("PAGE", "1")}${run(" of ")}${field("NUMPAGES", "9")}</w:p>`,
      ),
      part(
        "hdr",
        2,
        `<w:tbl><w:tr>${cell("Owner")}${cell("Finance")}</w:tr></w:tbl><w:p>${run("Contract 4711")}</w:p>`,
      ),
      part("hdr", 3, docxParagraph("Of a first page that is like the others")),
      part("hdr", 4, docxParagraph("Of nothing")),
      part(
        "ftr",
        5,
        `<w:p><w:fldSimple w:instr="PAGE">${run("7")}</w:fldSimple></w:p><w:p>${run("Confidential")}<w:del><w:r><w:delText>not</w:delText></w:r></w:del>${run(" to all who read it, page ")}${field("PAGE", "3")}</w:p>`,
      ),
    ];
    const body =
      docxParagraph("Limits", "Heading1") +
      `<w:p><w:pPr><w:sectPr>${refer("header", "default", "rId11")}${refer("footer", "default", "rId15")}</w:sectPr></w:pPr></w:p>` +
      docxParagraph("Text.") +
      `<w:sectPr>${refer("header", "default", "rId12")}${refer("header", "first", "rId13")}${refer("footer", "default", "rId15")}<w:titlePg w:val="0"/><w:sectPrChange><w:sectPr>${refer("header", "default", "rId14")}</w:sectPr></w:sectPrChange></w:sectPr>`;
    const relations = parts.map(({ name }, index) => ({
      id: `rId${11 + index}`,
      type: name.includes("hdr") ? "header" : "footer",
      target: name.slice("word/".length),
    }));
    const document = await parseFixture(writeDocx(body, parts, relations), "a.docx");
    expect(outlineOf(document)).toEqual([
      "title Limits",
      "paragraph Text.",
      "paragraph Contract 4711",
      "paragraph Owner | Finance",
      "paragraph Confidential to all who read it, page 3",
    ]);
    const running = document.elements.slice(2).map(({ container, section }) => [container, section]);
    expect(running).toEqual([
      ["Page header", []],
      ["Page header", []],
      ["Page footer", []],
    ]);
  });

  describe("with a part beside its text", () => {
    const names =
      'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"';
    const withHeader = (content: string, settings?: string) =>
      writeDocx(
        `${docxParagraph("Text.")}<w:sectPr ${names}><w:headerReference w:type="default" r:id="rId9"/></w:sectPr>`,
        [
          { name: "word/header1.xml", data: `<w:hdr ${names}>${content}</w:hdr>` },
          ...(settings === undefined ? [] : [{ name: "word/settings.xml", data: settings }]),
        ],
        [
          { id: "rId9", type: "header", target: "header1.xml" },
          { id: "rId10", type: "settings", target: "settings.xml" },
        ],
      );

    it("is read without a header that is damaged, and says so", async () => {
      const document = await parseFixture(withHeader(docxParagraph("a & b")), "a.docx");
      expect(outlineOf(document)).toEqual(["paragraph Text."]);
      expect(document.warnings).toEqual([
        expect.stringMatching(
          /^A page header could not be read and was left out: word\/header1\.xml is not well-formed XML/u,
        ),
      ]);
    });

    it("is read with its headers where its settings are damaged", async () => {
      const document = await parseFixture(
        withHeader(docxParagraph("Draft"), `<w:settings ${names}><w:a b=1/></w:settings>`),
        "a.docx",
      );
      expect(outlineOf(document)).toEqual(["paragraph Text.", "paragraph Draft"]);
      expect(document.warnings).toEqual([
        expect.stringMatching(
          /^What is printed on even pages alone could not be read and was left out: word\/settings/u,
        ),
      ]);
    });

    it("is read without its headers where only a forgiving reader reads which it has", async () => {
      const whole = writeDocx(
        `${docxParagraph("a & b")}<w:sectPr ${names}><w:headerReference w:type="default" r:id="rId9"/></w:sectPr>`,
      );
      const document = await parseFixture(whole, "a.docx");
      expect(outlineOf(document)).toEqual(["paragraph a & b"]);
      expect(document.warnings).toEqual([expect.stringMatching(/^What is printed on every page could not be read/u)]);
    });

    describe("that mammoth reads", () => {
      const note = (kind: string, text: string) => `<w:${kind} w:id="2">${docxParagraph(text)}</w:${kind}>`;
      const whole: Record<string, string> = {
        numbering:
          '<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>',
        footnotes: note("footnote", "A footnote."),
        endnotes: note("endnote", "An endnote."),
        comments: note("comment", "A comment."),
      };
      const body =
        '<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>Item</w:t></w:r></w:p>' +
        '<w:p><w:r><w:t>Text.</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:endnoteReference w:id="2"/></w:r><w:r><w:commentReference w:id="2"/></w:r></w:p>';
      const write = (damaged: Record<string, string>, checksums: Record<string, number> = {}) =>
        writeDocx(
          body,
          Object.entries({ ...whole, ...damaged }).map(([name, content]) => ({
            name: `word/${name}.xml`,
            data: `<w:${name} ${names}>${content}</w:${name}>`,
            ...(checksums[name] === undefined ? {} : { checksum: checksums[name] }),
          })),
          Object.keys(whole).map((name, at) => ({ id: `rId${20 + at}`, type: name, target: `${name}.xml` })),
        );
      const lines = ["list 1. Item", "paragraph Text.[1][2]", "paragraph Comment: A comment."];
      const notes = "list 1. A footnote.\n2. An endnote.";

      it.each([
        ["numbering", "The numbering of lists", ["paragraph Item", ...lines.slice(1), notes]],
        ["footnotes", "Footnotes", [lines[0], "paragraph Text.[1]", lines[2], "list 1. An endnote."]],
        ["endnotes", "Endnotes", [lines[0], "paragraph Text.[1]", lines[2], "list 1. A footnote."]],
        ["comments", "Comments", [lines[0], lines[1], notes]],
      ])("is read without damaged %s, and says so", async (part, what, outline) => {
        expect(outlineOf(await parseFixture(write({}), "a.docx"))).toEqual([...lines, notes]);
        const document = await parseFixture(write({ [part]: `${whole[part]}<w:p` }), "a.docx");
        expect(outlineOf(document)).toEqual(outline);
        expect(document.warnings).toEqual([
          expect.stringMatching(`^${what} could not be read and was left out: word/${part}\\.xml cannot be read`),
        ]);
      });

      it("is read without what its archive holds damaged, and says so", async () => {
        const document = await parseFixture(write({}, { comments: 1 }), "a.docx");
        expect(outlineOf(document)).toEqual([lines[0], lines[1], notes]);
        expect(document.warnings).toEqual([
          "Comments could not be read and was left out: word/comments.xml inside the document does not match its checksum.",
        ]);
      });

      it("is refused where its text is damaged", async () => {
        expect(await failureOf(parseFixture(writeDocx("<w:p"), "a.docx"))).toMatch(/^DOCUMENT_DAMAGED/u);
      });
    });

    it("is read with a header whose fields stand in each other, by what they show", async () => {
      const mark = (type: string) => `<w:r><w:fldChar w:fldCharType="${type}"/></w:r>`;
      const field = (instruction: string, result: string) =>
        `${mark("begin")}${instruction}${mark("separate")}${result}${mark("end")}`;
      const words = (name: string) => `<w:r><w:instrText> ${name} </w:instrText></w:r>`;
      const text = (shown: string) => `<w:r><w:t>${shown}</w:t></w:r>`;
      const unless = field(words("IF") + field(words("PAGE"), text("7")) + words("= 1"), text("Confidential"));
      const count = field(words("QUOTE"), text("p. ") + field(words("NUMPAGES"), text("9")));
      const many = 2000;
      const open =
        (mark("begin") + words("REF x") + mark("separate")).repeat(many) + text("Deep") + mark("end").repeat(many);
      const header = `<w:p>${unless}<w:r><w:tab/></w:r>${count}<w:r><w:tab/></w:r>${open}</w:p>`;
      expect(outlineOf(await parseFixture(withHeader(header), "a.docx"))).toEqual([
        "paragraph Text.",
        "paragraph Confidential Deep",
      ]);
    });

    it("is refused where that is hostile", async () => {
      const deep = `${"<w:sdt>".repeat(300)}${"</w:sdt>".repeat(300)}`;
      expect(await failureOf(parseFixture(withHeader(deep), "a.docx"))).toMatch(/^DOCUMENT_HOSTILE: word\/header1/u);
    });

    it("is read with a header whose text box holds very many paragraphs", async () => {
      const box = `<w:p><w:r><w:txbxContent>${docxParagraph("x").repeat(130_000)}</w:txbxContent></w:r></w:p>`;
      expect(outlineOf(await parseFixture(withHeader(box), "a.docx"))).toEqual(["paragraph Text.", "paragraph x"]);
    });
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
