import { describe, expect, it } from "vitest";
import { outlineOf, parseFixture } from "../testing/outline-of.ts";

const parse = (text: string) => parseFixture(text, "a.md");

describe("Markdown", () => {
  it("takes the title from the front matter and keeps the rest of it out", async () => {
    const document = await parse('---\ntitle: "Pump guide"\ntags: [a]\n---\n\n# Pumps\n\nText.\n');
    expect(document.title).toBe("Pump guide");
    expect(outlineOf(document)).toEqual(["title Pumps", "paragraph Text."]);
  });

  it("does not take a rule and prose for front matter", async () => {
    expect(outlineOf(await parse("---\nSome words\n\n---\nmore"))).toEqual(["paragraph Some words", "paragraph more"]);
  });

  it("reads lists, tables, code, quotes and pictures as plain text", async () => {
    const text = [
      "Some *soft*",
      "break with [a link](http://x.test) and `code`.",
      "",
      "1. one",
      "   - inner",
      "2. two",
      "",
      "- [x] done",
      "- [ ] open",
      "",
      "| A | B |",
      "|---|--:|",
      "| **1** | a\\|b |",
      "",
      "```js",
      "f();",
      "```",
      "",
      "> Quoted.",
      "",
      "![A red pump](pump.png)",
    ].join("\n");
    expect(outlineOf(await parse(text))).toEqual([
      "paragraph Some soft break with a link and code.",
      "list 1. one\n  - inner\n2. two",
      "list - [x] done\n- [ ] open",
      `table | A | B |\n| --- | --- |\n| 1 | a${String.raw`\|`}b |`,
      "code f();",
      "paragraph Quoted.",
      "figure A red pump",
    ]);
  });

  it("reads HTML inside as HTML", async () => {
    expect(
      outlineOf(
        await parse("<script>x</script>\n\n<table><tr><th>A<th>B<tr><td>1<td>2</table>\n\nText <b>bold</b><br>next.\n"),
      ),
    ).toEqual(["table | A | B |\n| --- | --- |\n| 1 | 2 |", "paragraph Text bold\nnext."]);
  });

  it("makes only a single top heading the title", async () => {
    const document = await parse("# One\n\na\n\n# Two\n\nb");
    expect(document.title).toBeNull();
    expect(document.elements.map((element) => element.section)).toEqual([[], ["One"], [], ["Two"]]);
  });
});
