import { describe, expect, it } from "vitest";
import { renderPage } from "./markdown.ts";
import type { BlockTree, RichText } from "./notion-objects.ts";

const text = (plain_text: string, href?: string): RichText => [{ plain_text, href: href ?? null }];
const block = (type: string, body: Record<string, unknown>, children: BlockTree[] = []): BlockTree => ({
  block: { id: "b", type, has_children: children.length > 0, [type]: body },
  children,
});
const render = (...blocks: BlockTree[]) => renderPage("T", [], blocks).replace("# T\n\n", "");

describe("renderPage", () => {
  it("puts the title first, a row's values below it, and headings below the title", () => {
    expect(
      renderPage(
        "Pump #1",
        ["Owner: Ann"],
        [block("heading_1", { rich_text: text("Use") }), block("heading_3", { rich_text: text("Start") })],
      ),
    ).toBe("# Pump #1\n\nOwner: Ann\n\n## Use\n\n#### Start\n");
  });

  it("nests lists, counts numbers, and keeps items of one list together", () => {
    const item = (type: string, words: string, children: BlockTree[] = []) =>
      block(type, { rich_text: text(words) }, children);
    expect(
      render(
        item("bulleted_list_item", "a", [item("numbered_list_item", "b"), item("numbered_list_item", "c")]),
        item("bulleted_list_item", "d"),
        block("to_do", { rich_text: text("done"), checked: true }),
      ),
    ).toBe("- a\n  1. b\n  2. c\n- d\n\n- [x] done\n");
  });

  it("writes tables with their first row as the head, and a bar in a cell as a bar", () => {
    const row = (...cells: string[]) => block("table_row", { cells: cells.map((cell) => text(cell)) });
    expect(render(block("table", { table_width: 2 }, [row("Part", "Bar"), row("a|b", "4.5")]))).toBe(
      "| Part | Bar |\n| --- | --- |\n| a\\|b | 4.5 |\n",
    );
  });

  it("fences code with more backticks than it holds", () => {
    expect(render(block("code", { rich_text: text("```\nx\n```"), language: "plain text" }))).toBe(
      "````\n```\nx\n```\n````\n",
    );
    expect(render(block("code", { rich_text: text("let a = 1 < 2;"), language: "typescript" }))).toBe(
      "```typescript\nlet a = 1 < 2;\n```\n",
    );
  });

  it("quotes a callout with what is in it", () => {
    const inner = block("paragraph", { rich_text: text("Always.") });
    expect(render(block("callout", { rich_text: text("Wear gloves") }, [inner]))).toBe(
      "> Wear gloves\n> \n> Always.\n",
    );
  });

  it("takes nothing that was typed for Markdown or HTML", () => {
    expect(render(block("paragraph", { rich_text: text("# List<String> *p & snake_case &amp;") }))).toBe(
      "\\# List\\<String> \\*p & snake_case \\&amp;\n",
    );
    expect(render(block("paragraph", { rich_text: text("1. one") }))).toBe("1\\. one\n");
  });

  it("shows links with their address, and never the address of a file that Notion signed", () => {
    expect(render(block("paragraph", { rich_text: text("the plan", "https://example.com/a_b") }))).toBe(
      "the plan (<https://example.com/a_b>)\n",
    );
    const file = { type: "file", caption: text("Valve"), file: { url: "https://files.example/x?X-Amz-Signature=s" } };
    expect(render(block("pdf", file))).toBe("\\[PDF: Valve\\]\n");
  });

  it("reads what is in columns, toggles and blocks of unknown kinds", () => {
    const inner = block("paragraph", { rich_text: text("inside") });
    expect(render(block("column_list", {}, [block("column", {}, [inner])]), block("novel", {}, [inner]))).toBe(
      "inside\n\ninside\n",
    );
  });
});
