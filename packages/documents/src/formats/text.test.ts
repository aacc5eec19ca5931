import { describe, expect, it } from "vitest";
import { outlineOf, parseFixture } from "../testing/outline-of.ts";

describe("plain text", () => {
  it("parts paragraphs at blank lines and reads underlined headings and lists", async () => {
    const text =
      "Manual\r\n======\r\n\r\nFirst line\r\nsecond line.\r\n\r\nParts:\r\n* pump\r\n  with seal\r\n* valve\r\n\r\n\r\nEnd - of it.\r\n";
    expect(outlineOf(await parseFixture(text, "a.txt"))).toEqual([
      "title Manual",
      "paragraph First line\nsecond line.",
      "paragraph Parts:",
      "list - pump with seal\n- valve",
      "paragraph End - of it.",
    ]);
  });

  it("reads as many underlined headings as there are, with no blank line between them", async () => {
    const document = await parseFixture(`${"Part\n----\n".repeat(30_000)}The end.\n`, "a.txt");
    expect(document.elements).toHaveLength(30_001);
    expect(outlineOf(document).slice(-2)).toEqual(["heading2 Part", "paragraph The end."]);
  });

  it("keeps source code whole", async () => {
    expect(outlineOf(await parseFixture("\ndef f():\n\n    return 1\n", "a.py"))).toEqual([
      "code def f():\n\n    return 1",
    ]);
  });

  it("reads an empty file as an empty document", async () => {
    const document = await parseFixture("", "a.txt");
    expect(document).toMatchObject({
      title: null,
      elements: [],
      warnings: ["The document holds no text."],
    });
  });
});
