import { expect, it } from "vitest";
import { wikiMarkupToHtml } from "./wiki-markup-to-html.ts";

const flat = (markup: string) => wikiMarkupToHtml(markup).replaceAll("\n", "");

it("renders headings, paragraphs, quotes and lists in lists", () => {
  expect(flat("h2. Steps\nfirst line\nsecond line\n\nnext\n----\nbq. said")).toBe(
    "<h3>Steps</h3><p>first line<br>second line</p><p>next</p><hr><blockquote>said</blockquote>",
  );
  expect(flat("* one\n** below\n*# numbered\n* two\n# other")).toBe(
    "<ul><li>one<ul><li>below</li></ul><ol><li>numbered</li></ol></li><li>two</li></ul><ol><li>other</li></ol>",
  );
});

it("renders tables, whose links keep their bar", () => {
  expect(flat("||Name||Link||\n|pump|[manual|https://a.example/m]|")).toBe(
    '<table><tr><th>Name</th><th>Link</th></tr><tr><td>pump</td><td><a href="https://a.example/m">manual</a></td></tr></table>',
  );
});

it("keeps code as text, and what is never closed too", () => {
  expect(flat("a\n{code:java}\nif (a < b) *c*\n{code}\nb")).toBe("<p>a</p><pre>if (a &lt; b) *c*</pre><p>b</p>");
  expect(flat("{noformat}<b>{noformat}")).toBe("<pre>&lt;b&gt;</pre>");
  expect(flat("{code} open")).toBe("<p>{code} open</p>");
});

it("marks whole words only, and leaves no markup of the text's own", () => {
  expect(flat("*bold* and _soft_, {{x < y}}; snake_case_name, 2-3-4, <i>")).toBe(
    "<p><strong>bold</strong> and <em>soft</em>, <code>x &lt; y</code>; snake_case_name, 2-3-4, &lt;i&gt;</p>",
  );
  expect(flat("{color:red}hot{color} \\*not bold\\*")).toBe("<p>hot *not bold*</p>");
});

it("links to pages and addresses only, names people and files, and fetches no image", () => {
  expect(flat("[x|javascript:alert(1)] [~ann] [^plan.pdf] !shot.png|thumbnail! [https://a.example/?a=1&b=2]")).toBe(
    '<p>x @ann plan.pdf  <a href="https://a.example/?a=1&amp;b=2">https://a.example/?a=1&amp;b=2</a></p>',
  );
});

it("is done with a hostile text as soon as with any other", { timeout: 10_000 }, () => {
  for (const piece of ["[", "{code:x}", "*a ", "{{", "!a", "|", "* ".repeat(3), "_", "{quote"]) {
    expect(wikiMarkupToHtml(piece.repeat(100_000)).length).toBeGreaterThan(0);
  }
});
