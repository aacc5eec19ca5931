import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sentenceSpans } from "./sentences.ts";

const split = (text: string) => sentenceSpans(text).map(({ start, end }) => text.slice(start, end));

describe("sentenceSpans", () => {
  it("does not end a sentence at an abbreviation, an initial or a decimal", () => {
    expect(split("Dr. Smith pays 3.5 euros, e.g. for tea. Mr. J. Doe pays nothing.")).toEqual([
      "Dr. Smith pays 3.5 euros, e.g. for tea.",
      "Mr. J. Doe pays nothing.",
    ]);
    expect(split("Am 3. Mai gilt z. B. Ziffer 4. Danach nicht.")[0]).toContain("z. B. Ziffer 4.");
  });

  it("reads a line break inside prose as a space and one before a list item as an end", () => {
    expect(split("The pump is\nblue. It hums.\n- first item\n- second item")).toEqual([
      "The pump is\nblue.",
      "It hums.",
      "- first item",
      "- second item",
    ]);
  });

  it("keeps a numbered item with its number", () => {
    expect(split("1. Open the valve.\n2. Wait. Then close it.")).toEqual([
      "1. Open the valve.",
      "2. Wait.",
      "Then close it.",
    ]);
  });

  it("gives every table row its own span", () => {
    expect(split("| a | b |\n| --- | --- |\n| Dr. X | 2 |")).toEqual(["| a | b |", "| --- | --- |", "| Dr. X | 2 |"]);
  });

  it("returns ordered, non-overlapping spans that lose nothing but white space", () => {
    const texts = fc
      .array(fc.constantFrom("Dr.", "Ok.", "\n", "\n\n", "- ", "1. ", "| x |", "word ", "? ", "。", "😀", "z. B. "))
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(texts, (text) => {
        const spans = sentenceSpans(text);
        let at = 0;
        for (const { start, end } of spans) {
          expect(text.slice(at, start).trim()).toBe("");
          expect(start).toBeLessThan(end);
          at = end;
        }
        expect(text.slice(at).trim()).toBe("");
      }),
    );
  });
});
