import { describe, expect, it } from "vitest";
import { readTsv } from "./read-tsv.ts";

const head = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext";
const word = (place: string, text: string, confidence = 96) =>
  `5\t${place.replaceAll("/", "\t")}\t1\t10\t10\t50\t12\t${confidence}\t${text}`;
const table = (...rows: string[]) => [head, "1\t1\t0\t0\t0\t0\t0\t0\t640\t480\t-1\t", ...rows].join("\n");

describe("readTsv", () => {
  it("joins words to lines and paragraphs, each with its page", () => {
    const { drafts } = readTsv(
      table(
        word("1/1/1/1", "Größe:"),
        word("1/1/1/1", "5 µm"),
        word("1/1/1/2", "und 検査"),
        word("1/1/2/1", "Zweiter"),
        word("2/1/1/1", "Seite"),
      ),
    );
    expect(drafts).toEqual([
      { kind: "paragraph", text: "Größe: 5 µm und 検査", page: 1 },
      { kind: "paragraph", text: "Zweiter", page: 1 },
      { kind: "paragraph", text: "Seite", page: 2 },
    ]);
  });

  it("says that the text was recognised, and when it was more guessed than read", () => {
    expect(readTsv(table(word("1/1/1/1", "clear"))).warnings).toEqual([expect.stringContaining("(OCR)")]);
    const { warnings } = readTsv(table(word("1/1/1/1", "clear"), word("2/1/1/1", "mvrky", 20)));
    expect(warnings[1]).toMatch(/^1 page could hardly be read/u);
  });

  it("takes a picture without words for what it is, and leaves out rows that are cut off", () => {
    expect(readTsv(table())).toEqual({ drafts: [], warnings: ["No text was recognised in the picture."] });
    expect(readTsv(table(word("1/1/1/1", "whole"), "5\t1\t1\t1\t1\t2\t10")).drafts).toHaveLength(1);
    expect(readTsv("").drafts).toEqual([]);
  });
});
