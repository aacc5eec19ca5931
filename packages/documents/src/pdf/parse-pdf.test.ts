import { describe, expect, it } from "vitest";
import { failureOf, outlineOf, parseFixture } from "../testing/outline-of.ts";
import { lines, writePdf } from "../testing/pdf-fixture.ts";

const sentence = "The pump keeps the coolant moving as long as the shaft turns freely";
const paragraph = [sentence, "and the seal holds, which is why both are checked at every start", "of a shift."];

const read = async (...pages: Parameters<typeof writePdf>[0][number][]) =>
  outlineOf(await parseFixture(writePdf(pages), "a.pdf"));

describe("PDF", () => {
  it("groups lines to paragraphs and tells title and headings by their type", async () => {
    const document = await parseFixture(
      writePdf(
        [
          [
            { x: 72, y: 780, text: "Pump guide", size: 22, font: "bold" },
            { x: 72, y: 740, text: "1 Purpose", size: 14, font: "bold" },
            ...lines(72, 715, paragraph),
            ...lines(72, 665, paragraph),
            { x: 72, y: 610, text: "Details", font: "bold" },
            ...lines(72, 590, paragraph),
          ],
          [{ x: 72, y: 780, text: "2 Limits", size: 14, font: "bold" }, ...lines(72, 755, paragraph)],
        ],
        { title: "Pump guide, 2nd edition" },
      ),
      "a.pdf",
    );
    const text = paragraph.join(" ");
    expect(document.title).toBe("Pump guide, 2nd edition");
    expect(outlineOf(document)).toEqual([
      "title Pump guide",
      "heading1 1 Purpose",
      `paragraph ${text}`,
      `paragraph ${text}`,
      "heading2 Details",
      `paragraph ${text}`,
      "heading1 2 Limits",
      `paragraph ${text}`,
    ]);
    expect(document.elements.map((element) => element.page)).toEqual([1, 1, 1, 1, 1, 1, 2, 2]);
    expect(document.elements.at(-1)?.section).toEqual(["Pump guide", "2 Limits"]);
  });

  it("says where an element stands on its page, as shares of it", async () => {
    const document = await parseFixture(
      writePdf([
        [
          { x: 72, y: 780, text: "Pump guide", size: 20, font: "bold" },
          ...lines(72, 715, paragraph),
          { x: 72, y: 500, text: "- one", size: 10 },
          { x: 72, y: 480, text: "- two", size: 10 },
        ],
      ]),
      "a.pdf",
    );
    const [title, text, list] = document.elements;
    // Letters of 20 points on a baseline 62 points below the top of 842, 72 from the left of 595.
    expect(title?.box).toMatchObject({ left: 0.121, top: 0.0546, height: 0.0238 });
    expect(text?.box).toMatchObject({ left: 0.121, top: 0.1413, height: 0.0404 });
    expect(text!.box!.width).toBeGreaterThan(0.4);
    expect(list).toMatchObject({ kind: "list", text: "- one\n- two" });
    expect(list?.box).toBeUndefined();
  });

  it("reads a numbered heading as one, whose further line hangs under its text", async () => {
    const outline = await read([
      { x: 72, y: 780, text: "4.5", size: 14, font: "bold" },
      { x: 104, y: 780, text: "Can the pump of the older series be used with hoses", size: 14, font: "bold" },
      { x: 104, y: 763, text: "of the newer one, and if so, how?", size: 14, font: "bold" },
      ...lines(72, 735, paragraph),
    ]);
    expect(outline[0]).toMatch(/^\w+ 4\.5 Can the pump of .* hoses of the newer one, and if so, how\?$/);
  });

  it("leaves out a chapter's name at the top of its pages, whichever chapter it is", async () => {
    const page = (chapter: string) => [{ x: 72, y: 800, text: chapter }, ...lines(72, 715, paragraph)];
    const outline = await read(
      page("CHAPTER 1. PUMPS"),
      page("CHAPTER 2. VALVES"),
      page("CHAPTER 3. HOSES"),
      page("CHAPTER 4. SEALS"),
    );
    expect(outline.join("\n")).not.toContain("CHAPTER");
    expect(outline.join("\n")).toContain(sentence);
  });

  it("reads two columns one after the other, below what spans both", async () => {
    const left = [
      "The left column speaks of pumps and",
      "of how they are started on a cold",
      "morning without harm to the seal",
      "and without waking the neighbours.",
    ];
    const right = [
      "The right column speaks of valves",
      "and of how they are closed in time",
      "before the pressure in the loop has",
      "risen beyond what the pipes can bear.",
    ];
    const wide = [
      "This abstract runs over the whole width of the page, from the left margin to the right one, and ends",
      "here before the columns begin, so that it has to be read before either of them is.",
    ];
    // Columns on different baselines, as most layout programs set them.
    expect(await read([...lines(60, 780, wide), ...lines(60, 720, left), ...lines(310, 723, right)])).toEqual([
      `paragraph ${wide.join(" ")}`,
      `paragraph ${left.join(" ")}`,
      `paragraph ${right.join(" ")}`,
    ]);
    expect(await read([...lines(60, 720, left), ...lines(310, 720, right)])).toEqual([
      `paragraph ${left.join(" ")}`,
      `paragraph ${right.join(" ")}`,
    ]);
  });

  it("reads aligned cells as a table, wrapped cells included", async () => {
    const row = (y: number, ...cells: string[]) => cells.map((text, index) => ({ x: 72 + index * 130, y, text }));
    const page = [
      ...lines(72, 780, [sentence]),
      ...row(750, "Part", "Limit", "Unit"),
      ...row(730, "Main pump", "320", "degrees"),
      ...row(710, "Relief valve", "15", "bar"),
      { x: 72, y: 698, text: "(main loop)" },
      ...row(678, "Seal", "4", "mm"),
      ...lines(72, 640, [sentence]),
    ];
    expect(await read(page)).toEqual([
      `paragraph ${sentence}`,
      "table | Part | Limit | Unit |\n| --- | --- | --- |\n| Main pump | 320 | degrees |\n| Relief valve (main loop) | 15 | bar |\n| Seal | 4 | mm |",
      `paragraph ${sentence}`,
    ]);
  });

  it("reads marked lines as a list and keeps a hyphen at a line's end for cleaning", async () => {
    const page = [
      ...lines(72, 780, ["\x95 Open the valve slowly and wait until the gauge has set-"]),
      { x: 82, y: 768, text: "tled for good" },
      ...lines(72, 756, ["\x95 Read the gauge"]),
    ];
    expect(await read(page)).toEqual([
      "list - Open the valve slowly and wait until the gauge has set-\ntled for good\n- Read the gauge",
    ]);
  });

  it("keeps lines and indentation of code", async () => {
    const mono = { font: "mono" as const };
    expect(
      await read([
        ...lines(72, 780, [sentence]),
        ...lines(72, 750, ["def f(x):"], mono),
        ...lines(96, 738, ["return x"], mono),
      ]),
    ).toEqual([`paragraph ${sentence}`, "code def f(x):\n    return x"]);
  });

  it("leaves out running headers, footers and page numbers", async () => {
    const page = (number: number) => [
      { x: 72, y: 815, text: "ACME Handbook", size: 8 },
      ...lines(72, 760, [`${sentence} ${number}.`]),
      { x: 300, y: 30, text: `${number} / 3`, size: 8 },
    ];
    const document = await parseFixture(writePdf([page(1), page(2), page(3)]), "a.pdf");
    expect(outlineOf(document)).toEqual([1, 2, 3].map((number) => `paragraph ${sentence} ${number}.`));
    expect(document.warnings).toEqual(['Running headers and footers left out: "ACME Handbook".']);
  });

  it("keeps a table's last row at the bottom of a page", async () => {
    const row = (y: number, ...cells: string[]) => cells.map((text, index) => ({ x: 72 + index * 130, y, text }));
    const page = [...row(90, "Part", "Count"), ...row(70, "Pump", "4"), ...row(50, "Valve", "12")];
    expect(await read(page)).toEqual(["table | Part | Count |\n| --- | --- |\n| Pump | 4 |\n| Valve | 12 |"]);
  });

  it("takes headings and their depth from the outline", async () => {
    const page = [...lines(72, 780, ["Deep topic"]), ...lines(72, 755, paragraph)];
    const document = await parseFixture(writePdf([page], { outline: [{ title: "Deep  Topic", page: 1 }] }), "a.pdf");
    expect(outlineOf(document)[0]).toBe("heading1 Deep topic");
  });

  it("says which pages hold no text, and that a scan needs OCR", async () => {
    const document = await parseFixture(writePdf([lines(72, 780, paragraph), [], []]), "a.pdf");
    expect(document.warnings).toEqual(["Pages 2-3 hold no text that can be read (blank, or a scan that needs OCR)."]);
    expect(await failureOf(parseFixture(writePdf([[], []]), "a.pdf"))).toMatch(
      /^DOCUMENT_UNSUPPORTED: .*scan\).*needs OCR/u,
    );
  });

  it("tells a password from damage", async () => {
    const whole = writePdf([lines(72, 780, paragraph)]);
    expect(await failureOf(parseFixture(writePdf([lines(72, 780, paragraph)], { encrypt: true }), "a.pdf"))).toMatch(
      /^DOCUMENT_ENCRYPTED/u,
    );
    expect(await failureOf(parseFixture(whole.subarray(0, whole.length / 2), "a.pdf"))).toMatch(
      /^DOCUMENT_DAMAGED: .*cut off/u,
    );
    expect(await failureOf(parseFixture("%PDF-1.7\nnothing\nstartxref\n0\n%%EOF", "a.pdf"))).toMatch(
      /^DOCUMENT_DAMAGED/u,
    );
  });

  it("keeps the first pages of a long document", async () => {
    const document = await parseFixture(writePdf([1, 2, 3].map(() => lines(72, 700, [sentence]))), "a.pdf", {
      maxPages: 2,
    });
    expect(document.elements.map((element) => element.page)).toEqual([1, 2]);
    expect(document.warnings).toEqual(["Kept the first 2 of 3 pages."]);
  });

  it("reads the files that are attached to it after its pages, also where these hold no text", async () => {
    const attachments = [
      { name: "order.csv", content: "part,count\npump,2" },
      { name: "mail.eml", content: "From: a@b.example\nSubject: Delivery\n\nIt comes on Monday." },
      { name: "inner.pdf", content: writePdf([lines(72, 700, paragraph)]) },
      { name: "logo.bin", content: Buffer.from([0, 1, 2, 3, 0, 255]) },
    ];
    const files = [
      "heading1 order.csv",
      "table | part | count |\n| --- | --- |\n| pump | 2 |",
      "heading1 mail.eml",
      "heading2 Delivery",
      "paragraph From: a@b.example",
      "paragraph It comes on Monday.",
      "heading1 inner.pdf",
      `paragraph ${paragraph.join(" ")}`,
    ];
    const document = await parseFixture(writePdf([lines(72, 700, paragraph)], { attachments }), "a.pdf");
    expect(outlineOf(document)).toEqual([`paragraph ${paragraph.join(" ")}`, ...files]);
    const places = document.elements.map(({ page, container }) => page ?? container);
    expect(places.join(" ")).toBe("1 order.csv order.csv mail.eml mail.eml mail.eml mail.eml inner.pdf inner.pdf");
    expect(document.warnings).toEqual([expect.stringContaining("The attachment logo.bin was left out")]);
    expect(outlineOf(await parseFixture(writePdf([[]], { attachments }), "a.pdf"))).toEqual(files);
  });

  it("reads no more files than it may, and none deeper than in e-mails", async () => {
    const nest = (depth: number): Uint8Array =>
      writePdf([lines(72, 700, paragraph)], {
        attachments: depth === 0 ? [] : [{ name: `${depth}.pdf`, content: nest(depth - 1) }],
      });
    const { warnings } = await parseFixture(nest(5), "a.pdf");
    expect(warnings.join(" ")).toContain("Attachments are read 3 levels deep");
    const many = Array.from({ length: 4 }, (_, index) => ({ name: `${index}.txt`, content: `Text ${index}.` }));
    const few = await parseFixture(writePdf([[]], { attachments: many }), "a.pdf", { maxAttachments: 2 });
    expect(few.elements).toHaveLength(4);
    expect(few.warnings).toContain("Kept the first 2 attachments, 2 left out.");
  });
});
