import { describe, expect, it } from "vitest";
import { readTsv } from "./read-tsv.ts";

const head = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext";
const word = (place: string, text: string, confidence = 96) =>
  `5\t${place.replaceAll("/", "\t")}\t1\t10\t10\t50\t12\t${confidence}\t${text}`;
const table = (...rows: string[]) => [head, "1\t1\t0\t0\t0\t0\t0\t0\t640\t480\t-1\t", ...rows].join("\n");

describe("readTsv", () => {
  it("joins words to lines and paragraphs, each with its page and its place on it", () => {
    const { drafts } = readTsv(
      table(
        word("1/1/1/1", "Größe:"),
        word("1/1/1/1", "5 µm"),
        word("1/1/1/2", "und 検査"),
        "5\t1\t1\t2\t1\t1\t320\t240\t64\t24\t96\tZweiter",
        word("2/1/1/1", "Seite"),
      ),
    );
    expect(drafts).toEqual([
      {
        kind: "paragraph",
        text: "Größe: 5 µm und 検査",
        page: 1,
        box: { left: 0.0156, top: 0.0208, width: 0.0781, height: 0.025 },
      },
      { kind: "paragraph", text: "Zweiter", page: 1, box: { left: 0.5, top: 0.5, width: 0.1, height: 0.05 } },
      { kind: "paragraph", text: "Seite", page: 2 },
    ]);
  });

  it("names the pages that were more guessed than read", () => {
    expect(readTsv(table(word("1/1/1/1", "clear"))).poorPages).toEqual([]);
    expect(readTsv(table(word("1/1/1/1", "clear"), word("2/1/1/1", "mvrky", 20))).poorPages).toEqual([2]);
  });

  it("leaves out rows that are cut off, and keeps a box inside its page", () => {
    expect(readTsv(table())).toEqual({ drafts: [], poorPages: [] });
    expect(readTsv(table(word("1/1/1/1", "whole"), "5\t1\t1\t1\t1\t2\t10")).drafts).toHaveLength(1);
    expect(readTsv("").drafts).toEqual([]);
    const [wild] = readTsv(table("5\t1\t1\t1\t1\t1\t-90\t9999\t99999\t-5\t96\twild")).drafts;
    expect(wild?.box).toEqual({ left: 0, top: 1, width: 1, height: 0 });
  });
});
