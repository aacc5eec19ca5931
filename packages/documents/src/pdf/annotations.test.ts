import { describe, expect, it } from "vitest";
import { outlineOf, parseFixture } from "../testing/outline-of.ts";
import { lines, type PlacedText, writePdf } from "../testing/pdf-fixture.ts";

const sentence = "The pump keeps the coolant moving as long as the shaft turns freely";
const paragraph = [sentence, "and the seal holds, which is why both are checked at every start", "of a shift."];
const prose = paragraph.join(" ");

const parse = (page: readonly PlacedText[], annotations: readonly string[], more: readonly PlacedText[][] = []) =>
  parseFixture(writePdf([page, ...more], { annotations: new Map([[1, annotations]]) }), "form.pdf");
const read = async (...document: Parameters<typeof parse>) => outlineOf(await parse(...document));
const textField = (rect: string, value: string, more = "") =>
  `/Subtype /Widget /FT /Tx /Rect [${rect}] /V (${value}) /T (f1_02[0]) ${more}`;
const note = (kind: string, rect: string, contents: string, more = "") =>
  `/Subtype /${kind} /Rect [${rect}] /Contents (${contents}) ${more}`;

describe("what was filled into a PDF", () => {
  const form = [
    ...lines(72, 780, paragraph),
    { x: 72, y: 700, text: "Contractor:" },
    { x: 90, y: 670, text: "We agree to the terms of the quarry" },
    { x: 90, y: 640, text: "We would rather not" },
    ...lines(72, 600, paragraph),
  ];

  it("is read where it stands, beside its printed label and never as a heading", async () => {
    const outline = await read(form, [
      textField("135 694 400 714", "Ulverston Scales", "/TU (Contractor) /DA (/F1 18 Tf 0 g)"),
      "/Subtype /Widget /FT /Btn /T (agree) /Rect [72 666 84 678] /V /Yes /AS /Yes /AP << /N << /Yes 3 0 R /Off 3 0 R >> >>",
      "/Subtype /Widget /FT /Btn /T (refuse) /Rect [72 636 84 648] /V /Off /AS /Off /AP << /N << /Yes 3 0 R /Off 3 0 R >> >>",
    ]);
    expect(outline).toEqual([
      `paragraph ${prose}`,
      "paragraph Contractor: Ulverston Scales",
      "paragraph [x] We agree to the terms of the quarry",
      "paragraph We would rather not",
      `paragraph ${prose}`,
    ]);
  });

  it("says its label where the page prints none, unless that is a name that only a program knows", async () => {
    const outline = await read(lines(72, 780, paragraph), [
      textField("72 690 400 710", "2 March 2026", "/TU (Date of the repair:)"),
      `/Subtype /Widget /FT /Tx /T (site_name[0]) /Rect [72 640 400 660] /V (Quarry)`,
      textField("72 590 400 610", "Nobody knows what this was"),
      textField("72 500 400 560", "First line\\rSecond line", "/Ff 4096 /TU (Remarks)"),
    ]);
    expect(outline.slice(1)).toEqual([
      "paragraph Date of the repair: 2 March 2026",
      "paragraph site name: Quarry",
      "paragraph Nobody knows what this was",
      "paragraph Remarks: First line Second line",
    ]);
  });

  it("is what somebody chose, in the words that the form shows", async () => {
    const outline = await read(lines(72, 780, paragraph), [
      "/Subtype /Widget /FT /Ch /Ff 131072 /TU (Country) /Rect [72 690 300 710] /V (gb) /Opt [[(gb) (Great Britain)] [(de) (Germany)]]",
      "/Subtype /Widget /FT /Ch /Ff 2097152 /TU (Days) /Rect [72 600 300 660] /V [(Monday) (Friday)] /Opt [(Monday) (Tuesday) (Friday)]",
      "/Subtype /Widget /FT /Btn /Ff 32768 /TU (Payment) /Rect [72 560 84 572] /V /Cash /AS /Cash /AP << /N << /Cash 3 0 R /Off 3 0 R >> >>",
      "/Subtype /Widget /FT /Btn /Ff 32768 /TU (Payment) /Rect [72 530 84 542] /V /Cash /AS /Off /AP << /N << /Card 3 0 R /Off 3 0 R >> >>",
    ]);
    expect(outline.slice(1)).toEqual([
      "paragraph Country: Great Britain",
      "paragraph Days: Monday, Friday",
      "paragraph [x] Payment: Cash",
    ]);
  });

  it("is left out where it is hidden, and where it is a password", async () => {
    const outline = await read(lines(72, 780, paragraph), [
      textField("72 690 400 710", "hidden", "/F 2"),
      textField("72 660 400 680", "not viewed", "/F 32"),
      textField("72 630 400 650", "secret", "/Ff 8192"),
      note("FreeText", "72 600 400 620", "hidden note", "/F 2 /DA (/F1 10 Tf 0 g)"),
      note("Text", "72 570 92 590", "hidden comment", "/F 32"),
      textField("72 540 400 560", ""),
    ]);
    expect(outline).toEqual([`paragraph ${prose}`]);
  });

  it("keeps to the order of a turned page", async () => {
    const [upright, value] = ["Pump", "Number 7"];
    const pdf = Buffer.from(
      writePdf([[{ x: 72, y: 780, text: upright }, ...lines(72, 700, paragraph)]], {
        annotations: new Map([[1, [textField("72 730 300 750", value)]]]),
      }),
    )
      .toString("latin1")
      .replace("/MediaBox", "/Rotate 90 /MediaBox");
    expect(outlineOf(await parseFixture(Buffer.from(pdf, "latin1"), "a.pdf"))).toEqual([
      `paragraph ${upright}`,
      `paragraph ${value}`,
      `paragraph ${prose}`,
    ]);
  });
});

describe("what was noted on a PDF", () => {
  it("stands in its place when it is written on the page, and after the page's text when it pops up", async () => {
    const document = await parse(
      [...lines(72, 780, paragraph), ...lines(72, 600, paragraph)],
      [
        note("FreeText", "72 660 400 690", "Checked on Monday", "/DA (/F1 20 Tf 0 g)"),
        note("Text", "300 770 320 790", "Ask the makers", "/T (Ann Lee)"),
        note("FreeText", "72 590 400 610", "Written over the text", "/DA (/F1 10 Tf 0 g)"),
        note("Highlight", "72 770 400 790", sentence, "/QuadPoints [72 790 400 790 72 770 400 770]"),
        note("Highlight", "72 590 400 610", "Is this so?", "/QuadPoints [72 610 400 610 72 590 400 590]"),
        note("Link", "72 590 400 610", "A link's words"),
        note("Popup", "72 590 400 610", "A window"),
      ],
      [lines(72, 780, paragraph)],
    );
    expect(outlineOf(document)).toEqual([
      `paragraph ${prose}`,
      "paragraph Checked on Monday",
      `paragraph ${prose}`,
      "paragraph Note by Ann Lee: Ask the makers",
      "paragraph Note: Written over the text",
      "paragraph Note: Is this so?",
      `paragraph ${prose}`,
    ]);
    expect(document.elements.map(({ page }) => page)).toEqual([1, 1, 1, 1, 1, 1, 2]);
    expect(document.warnings).toEqual([]);
  });

  it("does not make a scan a page with text, and is kept where that cannot be read", async () => {
    const field = textField(
      "135 694 400 714",
      "A value that is longer than what a stamp on a scan would ever say to anybody",
      "/TU (Remarks)",
    );
    const document = await parse([], [field, note("Text", "0 0 9 9", "Scan it again")]);
    expect(outlineOf(document)).toEqual([
      "paragraph Remarks: A value that is longer than what a stamp on a scan would ever say to anybody",
      "paragraph Note: Scan it again",
    ]);
    expect(document.warnings).toEqual([expect.stringMatching(/^Page 1 holds no text that can be read/u)]);
  });
});
