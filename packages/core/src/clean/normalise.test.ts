import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Element } from "../document/element.ts";
import { normaliseElements } from "./normalise-elements.ts";
import { measureDamage, normaliseText } from "./normalise-text.ts";

const paragraph = (text: string, page?: number): Element => ({
  kind: "paragraph",
  text,
  section: [],
  ...(page === undefined ? {} : { page }),
});
const texts = (elements: readonly Element[]) => elements.map(({ text }) => text);

describe("normaliseText", () => {
  it("changes nothing when applied again, and leaves no hidden character, whatever the input", () => {
    const nasty = fc.string({
      unit: fc.oneof(
        fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
        fc.constantFrom(
          "\u200b",
          "\u202e",
          "\u200d",
          "\u200c",
          "\u00ad",
          "\n",
          "\r",
          " ",
          "\ufb01",
          "e\u0301",
          "\ufe0f",
          "👩",
          "न",
          "\ud800",
        ),
      ),
      maxLength: 60,
    });
    fc.assert(
      fc.property(nasty, fc.constantFrom("prose", "rows", "verbatim"), (text, layout) => {
        const once = normaliseText(text, layout);
        expect(normaliseText(once, layout)).toBe(once);
        expect(once.isWellFormed()).toBe(true);
        expect(once).not.toMatch(
          // oxlint-disable-next-line no-control-regex
          /[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u200b\u202a-\u202e\u2066-\u2069\ufeff]/,
        );
      }),
      { numRuns: 500 },
    );
  });

  it("spells out ligatures and unifies composition and spaces", () => {
    expect(normaliseText("eﬃcient  ﬁnance\u00a0oﬀer\u2009Cafe\u0301")).toBe("efficient finance offer Café");
    expect(normaliseText("\ufefftitle\r\n\r\n\tbody\u2028end ")).toBe("title\nbody\nend");
  });

  it("joins words at soft hyphens and removes what would hide text from a reader", () => {
    expect(normaliseText("Rechnungs\u00ad\nnummer")).toBe("Rechnungsnummer");
    expect(normaliseText("ig\u200bnore\u202e this\u{e0041}\u{e0042}")).toBe("ignore this");
    expect(normaliseText("pay\u200dment")).toBe("payment");
  });

  it("keeps the joiners and selectors that belong to a script or an emoji", () => {
    expect(normaliseText("می\u200cخواهم")).toBe("می\u200cخواهم");
    expect(normaliseText("क्\u200dष")).toBe("क्\u200dष");
    expect(normaliseText("👩\u200d💻 ❤\ufe0f")).toBe("👩\u200d💻 ❤\ufe0f");
  });

  it("keeps white space in code and rows in tables", () => {
    expect(normaliseText("if (x):\n\n    return\t1\u200b\n", "verbatim")).toBe("if (x):\n\n    return\t1");
    expect(normaliseText("| a  | b |\n| --- | --- |\n| 1 |  2 |", "rows")).toBe("| a | b |\n| --- | --- |\n| 1 | 2 |");
  });

  it("counts what could not be decoded before it is gone", () => {
    expect(measureDamage("a\ufffdb\u0000c\ud800 Ã¼ber fÃ¼r â€™")).toMatchObject({
      replacementCharacters: 2,
      controlCharacters: 1,
      mojibake: 3,
    });
    expect(measureDamage("NÃO É ÂNGULO â la carte, Ñandú, Ðuro").mojibake).toBe(0);
  });
});

describe("normaliseElements", () => {
  it("drops elements left empty and cleans the headings that others stand under", () => {
    const { elements } = normaliseElements([
      paragraph(" \u200b "),
      { kind: "heading", level: 1, text: " Scope\u00a0", section: [] },
      { ...paragraph("Body"), section: ["Scope\u00a0", "\u200b"] },
    ]);
    expect(elements).toEqual([
      { kind: "heading", level: 1, text: "Scope", section: [] },
      { ...paragraph("Body"), section: ["Scope"] },
    ]);
  });

  it("joins the lines and the divided words of fixed layouts only", () => {
    const divided = [paragraph("Die Vertrags-\nlaufzeit beträgt zwei Vor-\nund Nachjahre.\nEnde")];
    expect(texts(normaliseElements(divided, { fixedLines: true }).elements)).toEqual([
      "Die Vertragslaufzeit beträgt zwei Vor- und Nachjahre. Ende",
    ]);
    expect(texts(normaliseElements(divided).elements)).toEqual([divided[0]?.text]);
  });

  it("keeps the hyphen of a compound that the document writes with one elsewhere", () => {
    const { elements } = normaliseElements([paragraph("A well-\nknown rule. Well-known indeed.")], {
      fixedLines: true,
    });
    expect(texts(elements)).toEqual(["A well-known rule. Well-known indeed."]);
  });

  it("joins Japanese lines without a space", () => {
    const { elements } = normaliseElements([paragraph("本契約の有効\n期間は一年")], {
      fixedLines: true,
    });
    expect(texts(elements)).toEqual(["本契約の有効期間は一年"]);
  });

  const bodies = [
    "Alpha text of page one.",
    "Beta text of page two.",
    "Gamma text of page three.",
    "Delta text of page four.",
  ];

  it("removes page numbers everywhere and repeated headers but for their first appearance", () => {
    const elements = bodies.flatMap((body, i) => [
      paragraph("Contoso GmbH · Confidential", i + 1),
      paragraph(body, i + 1),
      paragraph(`Page ${i + 3} of 12`, i + 1),
    ]);
    const result = normaliseElements(elements, { fixedLines: true });
    expect(texts(result.elements)).toEqual(["Contoso GmbH · Confidential", ...bodies]);
    expect(result.removedLines).toBe(7);
  });

  it("finds headers and footers inside of page-long elements", () => {
    const elements = bodies.map((body, i) =>
      paragraph(`Handbook 2024\nIntro ${body}\nmore\nThat was ${body}\n- ${i + 1} -`, i + 1),
    );
    const { elements: cleaned } = normaliseElements(elements, { fixedLines: true });
    expect(texts(cleaned)).toEqual(
      bodies.map((body, i) => `${i === 0 ? "Handbook 2024 " : ""}Intro ${body} more That was ${body}`),
    );
  });

  it("leaves numbered headings, table rows and lines of few pages alone", () => {
    const heading = (i: number): Element => ({
      kind: "heading",
      level: 2,
      text: `Step ${i}`,
      section: [],
      page: i,
    });
    const table = (i: number): Element => ({
      kind: "table",
      text: "| Item | Price |\n| --- | --- |",
      section: [],
      page: i,
    });
    const elements = [1, 2, 3, 4].flatMap((i) => [heading(i), table(i)]);
    expect(normaliseElements(elements, { fixedLines: true }).removedLines).toBe(0);
    const twoPages = [paragraph("Draft", 1), paragraph("a b", 1), paragraph("Draft", 2), paragraph("c d", 2)];
    expect(normaliseElements(twoPages, { fixedLines: true }).removedLines).toBe(0);
  });
});
