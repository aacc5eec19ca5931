import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { documentText, type Element } from "../document/element.ts";
import { chunkDocument, embeddingText, placeAt } from "./chunk-document.ts";
import { approximateTokens } from "./chunk-units.ts";

const element = (
  kind: Element["kind"],
  text: string,
  section: string[] = [],
  rest: Partial<Element> = {},
): Element => ({ kind, text, section, ...rest });
const sentence = (word: string, count: number) =>
  Array.from({ length: count }, (_, index) => `The ${word} number ${index} stands in this line of prose.`).join(" ");

describe("chunkDocument", () => {
  it("never puts two top headings into one chunk", () => {
    const chunks = chunkDocument({
      title: "Manual",
      elements: [
        element("title", "Manual", [], { level: 1 }),
        element("heading", "Returns", ["Manual"], { level: 2 }),
        element("paragraph", "Send it back within 30 days.", ["Manual", "Returns"]),
        element("heading", "Shipping", ["Manual"], { level: 2 }),
        element("paragraph", "We ship on Mondays.", ["Manual", "Shipping"]),
      ],
    });
    expect(chunks.map((chunk) => [chunk.context, chunk.text])).toEqual([
      ["Manual > Returns", "Send it back within 30 days."],
      ["Manual > Shipping", "We ship on Mondays."],
    ]);
  });

  it("packs small subsections of one top heading together and names what they share", () => {
    const chunks = chunkDocument({
      title: null,
      elements: [
        element("heading", "FAQ", [], { level: 1 }),
        element("heading", "Payment", ["FAQ"], { level: 2 }),
        element("heading", "Cards", ["FAQ", "Payment"], { level: 3 }),
        element("paragraph", "We take cards.", ["FAQ", "Payment", "Cards"]),
        element("heading", "Cash", ["FAQ", "Payment"], { level: 3 }),
        element("paragraph", "We take no cash.", ["FAQ", "Payment", "Cash"]),
      ],
    });
    expect(chunks).toHaveLength(1);
    expect(chunks[0]?.section).toEqual(["FAQ", "Payment"]);
    expect(chunks[0]?.text).toBe("We take cards.\n\nCash\n\nWe take no cash.");
  });

  it("leaves a heading with the text that follows it", () => {
    const chunks = chunkDocument({
      title: null,
      elements: [
        element("heading", "Top", [], { level: 1 }),
        element("paragraph", sentence("first", 12), ["Top"]),
        element("heading", "Low", ["Top", "Mid"], { level: 3 }),
        element("paragraph", sentence("second", 12), ["Top", "Mid", "Low"]),
      ],
    });
    expect(chunks.some((chunk) => chunk.text.trimEnd().endsWith("Low"))).toBe(false);
    expect(
      chunks.filter((chunk) => chunk.text.includes("second")).every((chunk) => chunk.section.at(-1) === "Low"),
    ).toBe(true);
  });

  it("leaves a line that announces something with what it announces", () => {
    const elements = [
      element("paragraph", sentence("first", 9), ["Top"]),
      element("paragraph", "To start it, type this:", ["Top"]),
      element("code", "$ systemctl start pump\n$ systemctl status pump", ["Top"]),
      element("paragraph", sentence("second", 6), ["Top"]),
    ];
    const texts = chunkDocument({ title: null, elements }, { targetTokens: 130 }).map(({ text }) => text);
    expect(texts).toEqual([elements[0]!.text, documentText(elements.slice(1))]);
  });

  it("splits a long table by rows and carries its header beside every part", () => {
    const rows = Array.from({ length: 60 }, (_, index) => `| part ${index} | ${index} euros |`);
    const table = ["| Part | Price |", "| --- | --- |", ...rows].join("\n");
    const chunks = chunkDocument({
      title: "Prices",
      elements: [element("table", table, [], { container: "Sheet1", page: 3 })],
    });
    expect(chunks.length).toBeGreaterThan(1);
    expect(chunks.flatMap((chunk) => chunk.text.split("\n"))).toEqual(rows);
    for (const chunk of chunks) {
      expect(chunk.tableHeader).toBe("| Part | Price |\n| --- | --- |");
      expect(embeddingText(chunk).startsWith("Prices\n| Part | Price |")).toBe(true);
      expect([chunk.container, chunk.places.map((place) => place.page)]).toEqual(["Sheet1", [3]]);
    }
  });

  it("keeps a table, list or code block that fits whole", () => {
    const table = "| a | b |\n| --- | --- |\n| 1 | 2 |";
    const chunks = chunkDocument({
      title: null,
      elements: [element("paragraph", sentence("x", 13)), element("table", table)],
    });
    expect(chunks.some((chunk) => chunk.text.includes(table))).toBe(true);
  });

  it("repeats the last sentence of a split paragraph before its continuation", () => {
    const chunks = chunkDocument({
      title: null,
      elements: [element("paragraph", sentence("long", 40))],
    });
    expect(chunks.length).toBeGreaterThan(1);
    const [first, second] = chunks;
    expect(second?.charStart).toBeLessThan(first?.charEnd ?? 0);
    const apart = chunkDocument(
      { title: null, elements: [element("paragraph", sentence("long", 40))] },
      { overlapTokens: 0 },
    );
    expect(apart[1]?.charStart).toBeGreaterThanOrEqual(apart[0]?.charEnd ?? 0);
  });

  it("tells the page and the heading of every character of a chunk", () => {
    const [chunk] = chunkDocument({
      title: null,
      elements: [
        element("paragraph", "One.", ["A", "B"], { page: 4 }),
        element("heading", "C", ["A", "B"], { page: 5, level: 3 }),
        element("paragraph", "Two.", ["A", "B", "C"], { page: 5 }),
      ],
    });
    const at = (quote: string) =>
      placeAt(chunk?.places ?? [], (chunk?.charStart ?? 0) + (chunk?.text.indexOf(quote) ?? 0));
    expect(at("One.")).toMatchObject({ page: 4, section: ["A", "B"] });
    expect(at("Two.")).toMatchObject({ page: 5, section: ["A", "B", "C"] });
  });

  it("tells where on the page a passage stands, where that is known", () => {
    const box = { left: 0.1, top: 0.2, width: 0.8, height: 0.1 };
    const [chunk] = chunkDocument({
      title: null,
      elements: [
        element("paragraph", "One.", ["A"], { page: 4, box }),
        element("paragraph", "Two.", ["A"], { page: 4, box: { ...box, top: 0.4 } }),
        element("paragraph", "Three.", ["A"], { page: 4 }),
      ],
    });
    expect(chunk?.places).toEqual([
      { charStart: 0, page: 4, section: ["A"], box },
      { charStart: 6, page: 4, section: ["A"], box: { ...box, top: 0.4 } },
      { charStart: 12, page: 4, section: ["A"] },
    ]);
  });

  it("gives no chunk for a document without text", () => {
    expect(chunkDocument({ title: "Empty", elements: [element("paragraph", "  \n ")] })).toEqual([]);
  });

  const headings = fc.array(fc.constantFrom("A", "B", "C"), { maxLength: 3 });
  const elements = fc.array(
    fc.record({
      kind: fc.constantFrom<Element["kind"]>("paragraph", "heading", "list", "code", "table"),
      text: fc.oneof(
        fc.string({ maxLength: 60 }),
        fc
          .array(
            fc.constantFrom(
              "word ",
              "Wort. ",
              "\n",
              "| a | b |\n",
              "|---|---|\n",
              "- item\n",
              "😀",
              "長い文。",
              "x".repeat(300),
            ),
            { maxLength: 80 },
          )
          .map((parts) => parts.join("")),
      ),
      section: headings,
    }),
    { maxLength: 12 },
  );

  it("covers every character but headings and white space, in order, within the token limit", () => {
    fc.assert(
      fc.property(elements, (list) => {
        const parsed = { title: "T", elements: list };
        const text = documentText(list);
        const chunks = chunkDocument(parsed, {
          targetTokens: 40,
          maxTokens: 60,
          overlapTokens: 10,
        });
        const covered = Array.from({ length: text.length }, () => false);
        for (const [index, chunk] of chunks.entries()) {
          expect(chunk.ordinal).toBe(index);
          expect(chunk.text).toBe(text.slice(chunk.charStart, chunk.charEnd));
          expect(chunk.text.trim()).not.toBe("");
          expect(approximateTokens(chunk.text)).toBeLessThanOrEqual(60 + 4);
          covered.fill(true, chunk.charStart, chunk.charEnd);
          const before = chunks[index - 1];
          if (before) expect(chunk.charStart).toBeGreaterThan(before.charStart);
        }
        const headers = new Set(chunks.map((chunk) => chunk.tableHeader).filter((header) => header !== null));
        const quotedHeader = (at: number) =>
          [...headers].some((header) => {
            const start = text.lastIndexOf(header, at);
            return start !== -1 && at < start + header.length;
          });
        let offset = 0;
        for (const { kind, text: own } of list) {
          for (let at = offset; at < offset + own.length; at += 1) {
            if (kind === "heading" || covered[at] || quotedHeader(at)) continue;
            expect(text[at]?.trim()).toBe("");
          }
          offset += own.length + 2;
        }
      }),
      { numRuns: 300 },
    );
  });
});
