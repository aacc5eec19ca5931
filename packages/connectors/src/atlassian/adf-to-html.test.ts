import { expect, it } from "vitest";
import { adfToHtml } from "./adf-to-html.ts";

type AdfNode = { type: string; [key: string]: unknown };

const text = (value: string, ...marks: AdfNode[]): AdfNode => ({
  type: "text",
  text: value,
  marks,
});
const node = (type: string, content: AdfNode[], attrs?: Record<string, unknown>): AdfNode => ({ type, content, attrs });

it("renders paragraphs, headings, lists, code and tables", () => {
  const doc = node("doc", [
    node("heading", [text("Steps")], { level: 2 }),
    node("bulletList", [node("listItem", [node("paragraph", [text("one")])])]),
    node("codeBlock", [text("a < b")]),
    node("table", [node("tableRow", [node("tableCell", [text("x")]), node("tableCell", [text("y")])])]),
  ]);
  expect(adfToHtml(doc).replaceAll("\n", "")).toBe(
    "<h3>Steps</h3><ul><li><p>one</p></li></ul><pre>a &lt; b</pre><table><tr><td>x</td><td>y</td></tr></table>",
  );
});

it("keeps marks and only links that lead to a page or an address", () => {
  const linkTo = (href: string) => adfToHtml(text("here", { type: "link", attrs: { href } }));
  expect(linkTo("https://a.example/?x=1&y=2")).toBe('<a href="https://a.example/?x=1&amp;y=2">here</a>');
  expect(linkTo("javascript:alert(1)")).toBe("here");
  expect(adfToHtml(text("<b>", { type: "strong" }))).toBe("<strong>&lt;b&gt;</strong>");
});

it("gives the text of mentions, cards, dates and of kinds that it does not know", () => {
  const doc = node("doc", [
    { type: "mention", attrs: { text: "@Ann" } },
    { type: "inlineCard", attrs: { url: "https://a.example/" } },
    { type: "date", attrs: { timestamp: "1735689600000" } },
    node("somethingNew", [text("inside")]),
  ]);
  expect(adfToHtml(doc)).toBe("@Annhttps://a.example/2025-01-01inside");
});

it("gives nothing for what is no node, and stops where nesting does not", () => {
  expect(adfToHtml({ type: "doc", content: [{ text: 1 }, null, text("still here")] })).toBe("still here");
  let deep: AdfNode = text("bottom");
  for (let level = 0; level < 50_000; level += 1) deep = node("blockquote", [deep]);
  expect(adfToHtml(deep)).not.toContain("bottom");
});
