import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { ElementList } from "./document-text.tsx";

const rowsOf = (from: number) => Array.from({ length: 500 }, (_, at) => `| ${from + at} | pump \\| seal |`).join("\n");
const tableAt = (at: number) => `| id | item |\n| --- | --- |\n${rowsOf(at * 500)}`;

function elementsOf(texts: readonly string[]) {
  let start = 0;
  return texts.map((text) => {
    const span = { start, end: start + text.length };
    start = span.end + 2;
    return { kind: "table" as const, text, section: [], ...span, duplicated: false };
  });
}

const render = (texts: readonly string[], marked: { start: number; end: number } | null = null) =>
  renderToStaticMarkup(createElement(ElementList, { elements: elementsOf(texts), marked }));

describe("a document's text", () => {
  it("shows a table as cells, whatever is written in them", () => {
    expect(render(["| a | b |\n| --- | --- |\n| <b>x</b> | y \\| [EMAIL_1] |"])).toMatch(
      /<th>a<\/th><th>b<\/th>.*<td>&lt;b&gt;x&lt;\/b&gt;<\/td><td[^>]*>y \| <span[^>]*>\[EMAIL_1\]<\/span><\/td>/u,
    );
  });

  it("keeps a date and an identifier in a table on one line, and lets words wrap", () => {
    const shown = render([
      "| id | taken | ward |\n| --- | --- | --- |\n| LX-00001 | 2026-02-01 08:00 | Intensive care 2, with its anteroom |",
    ]);
    expect(shown.match(/<td class="whitespace-nowrap">[^<]*/gu)).toEqual([
      expect.stringMatching(/LX-00001$/u),
      expect.stringMatching(/2026-02-01 08:00$/u),
    ]);
    expect(shown).toContain("<td>Intensive care 2, with its anteroom</td>");
  });

  it("of very many rows is built as far as it is about to be seen, and where a passage is marked", () => {
    const tables = Array.from({ length: 200 }, (_, at) => tableAt(at));
    const first = render(tables).match(/<tr/gu)!.length;
    expect(first).toBeGreaterThan(500);
    expect(first).toBeLessThan(20_000);
    const { start } = elementsOf(tables)[150]!;
    const row = tables[150]!.indexOf("| 75123 |");
    const marked = render(tables, { start: start + row, end: start + row + 5 });
    expect(marked.match(/<tr/gu)).toHaveLength(first + 501);
    expect(marked.match(/<tr data-marked[^>]*><td>(\d+)<\/td>/gu)).toHaveLength(1);
    expect(marked).toMatch(/<tr data-marked[^>]*><td>75123<\/td>/u);
  });
});
