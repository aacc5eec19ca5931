import { describe, expect, it } from "vitest";
import { outlineOf, parseFixture } from "../testing/outline-of.ts";

const parse = (body: string) =>
  parseFixture(`<!DOCTYPE html><html><head><title>Page</title></head><body>${body}</body></html>`, "a.html");
const read = async (body: string) => outlineOf(await parse(body));

describe("HTML", () => {
  it("has a title of plain text, whatever markup and references stand in it", async () => {
    const titleOf = async (title: string) =>
      (await parseFixture(`<html><head><title>${title}</title></head><body><p>Text.</p></body></html>`, "a.html"))
        .title;
    expect(await titleOf("A &amp; <b>B</b>")).toBe("A & B");
    expect(await titleOf("What &lt;b&gt; does")).toBe("What <b> does");
  });

  it("reads headings, paragraphs, lists and code in order, with their section", async () => {
    const document = await parse(
      "<h1>Guide</h1><p>One <b>two</b>\n three<br>four</p><h2>Steps</h2><ol start=3><li>a<ul><li>b</ul><li>c</ol><pre>\nx  = 1\n  y</pre>tail",
    );
    expect(document.title).toBe("Page");
    expect(outlineOf(document)).toEqual([
      "title Guide",
      "paragraph One two three\nfour",
      "heading2 Steps",
      "list 3. a\n  - b\n4. c",
      "code x  = 1\n  y",
      "paragraph tail",
    ]);
    expect(document.elements.map((element) => element.section.join("/"))).toEqual([
      "",
      "Guide",
      "Guide",
      "Guide/Steps",
      "Guide/Steps",
      "Guide/Steps",
    ]);
  });

  it("reads XHTML, whose empty elements end within their tag", async () => {
    const head = `<html xmlns="http://www.w3.org/1999/xhtml"><head><title/><script src="a.js"/></head>`;
    const body = `<body><h1>Head<a id="x"/></h1><p title="a > b" class='c'/><p>First<br/>line <img src="x" alt=""/>.</p><iframe/><p>Last.</p></body></html>`;
    const lines = ["title Head", "paragraph First\nline .", "paragraph Last."];
    for (const start of [
      `<?xml version="1.0"?>\n`,
      `<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x">\n`,
    ]) {
      expect(outlineOf(await parseFixture(start + head + body, "a.xhtml"))).toEqual(lines);
    }
  });

  it("leaves out scripts, styles, navigation, templates and everything hidden", async () => {
    const hidden =
      "<script>a()</script><style>b{}</style><nav>c</nav><template><p>d</p></template><p hidden>e</p><p aria-hidden=true>f</p><p style='display: none'>g</p><div role=navigation>h</div><noscript>i</noscript>";
    expect(await read(`${hidden}<p>kept</p>`)).toEqual(["paragraph kept"]);
  });

  it("leaves out what a page calls its navigation or its table of contents", async () => {
    const chrome =
      "<div class='navheader'><table><tr><td>Prev<td>Next</table></div><div class='toc'>1. What is it?</div><div id=breadcrumb>Home</div><div class='navfooter x'>Up</div>";
    expect(await read(`${chrome}<p class=tocsin>kept</p>`)).toEqual(["paragraph kept"]);
  });

  it("leaves out lists of links above the first heading, which are a menu, and no others", async () => {
    const menu = "<ul><li><a href=/>Home</a><li class=x><a href=/buy>Buy</a> </ul>";
    const text = "<ul><li><a href=/a>See A</a> for pumps<li>B</ul>";
    expect(await read(`${menu}${text}<h1>Pumps</h1>${menu}<p>kept</p>`)).toEqual([
      "list - See A for pumps\n- B",
      "title Pumps",
      "list - Home\n- Buy",
      "paragraph kept",
    ]);
    expect(await read(menu)).toEqual(["list - Home\n- Buy"]);
    expect(await read(`${menu}<p>kept</p>`)).toEqual(["list - Home\n- Buy", "paragraph kept"]);
  });

  it("reads the main part alone when the page names one", async () => {
    expect(await read("<header>Shop</header><main><p>kept</p></main><footer>Imprint</footer>")).toEqual([
      "paragraph kept",
    ]);
  });

  it("reads every column, and a span over more columns than there are as one over all", async () => {
    const cells = (name: string) => Array.from({ length: 300 }, (_, column) => `<td>${name}${column}</td>`).join("");
    const wide = await parseFixture(`<table><tr>${cells("a")}</tr><tr>${cells("b")}</tr></table>`, "a.html");
    expect(wide.elements.map(({ text }) => text).join("\n")).toContain("| b298 | b299 |");
    expect(wide.warnings).toEqual([]);
    const spanned = '<table><tr><th colspan="1000">Prices</th></tr><tr><td>Pump</td><td>12</td></tr></table>';
    expect(outlineOf(await parseFixture(spanned, "a.html"))).toEqual([
      "table | Prices | Prices |\n| --- | --- |\n| Pump | 12 |",
    ]);
  });

  it("repeats a cell over its rows, names columns under a spanning header, escapes pipes", async () => {
    const table =
      "<table><caption>Limits</caption><thead><tr><th rowspan=2>Part<th colspan=2>2026<tr><th>Q1<th>Q2</thead><tr><td rowspan=2>Pump<td>a|b<td>2<tr><td>3<td>4<tr><td colspan=3>Note</table>";
    expect(await read(table)).toEqual([
      "paragraph Limits",
      [
        "table | Part | 2026 / Q1 | 2026 / Q2 |",
        "| --- | --- | --- |",
        String.raw`| Pump | a\|b | 2 |`,
        "| Pump | 3 | 4 |",
        "| Note |  |  |",
      ].join("\n"),
    ]);
  });

  it("reads tables that only place things as what they hold", async () => {
    expect(await read("<table><tr><td><h2>News</h2><p>First</p><td><p>Second</p></table>")).toEqual([
      "heading2 News",
      "paragraph First",
      "paragraph Second",
    ]);
    expect(await read("<table><tr><td><table><tr><td>a<td>b<tr><td>c<td>d</table></table>")).toEqual([
      "table | a | b |\n| --- | --- |\n| c | d |",
    ]);
  });

  it("reads definition lists and described pictures", async () => {
    expect(
      await read(
        "<dl><dt>A</dt><dd>first</dd><dt>B<dd>second</dl><figure><img alt='A red pump'><figcaption>Fig. 1</figcaption></figure>",
      ),
    ).toEqual(["list - A: first\n- B: second", "figure A red pump", "paragraph Fig. 1"]);
  });

  it("keeps the text of absurdly deep markup", async () => {
    const document = await parse(`${"<div>".repeat(3000)}deep${"</div>".repeat(3000)}<p>after</p>`);
    expect(outlineOf(document).join(" ")).toContain("deep");
    expect(outlineOf(document)).toContain("paragraph after");
  });

  it.each([
    ["a paragraph", "<p>", "<b>x</b>", "</p>"],
    ["a list in a list", "<ul><li>a<ul>", "<li>x</li>", "</ul></ul>"],
    ["a table's head", "<table><thead>", "<tr><td>x<td>y</tr>", "</thead></table>"],
  ])("reads %s that holds as much as somebody wrote", async (_, begin, each, end) => {
    expect(await read(`${begin}${each.repeat(130_000)}${end}`)).toHaveLength(1);
  });

  it("keeps every row of a long table", async () => {
    const document = await parse(`<table>${"<tr><td>a<td>b".repeat(30_000)}</table>`);
    expect(document.elements.flatMap(({ text }) => text.split("\n").slice(2))).toHaveLength(29_999);
    expect(document.warnings).toEqual([]);
  });

  it("decodes by the page's meta element", async () => {
    const page = Buffer.from(
      "<html><head><meta charset=windows-1251></head><body><p>\xcf\xf0\xe8\xe2\xe5\xf2</p></body></html>",
      "latin1",
    );
    expect(outlineOf(await parseFixture(page, "a.html"))).toEqual(["paragraph Привет"]);
  });

  it("is not slowed down by a span over a million rows", async () => {
    expect(await read(`<table>${"<tr><td rowspan=1000000 colspan=1000000>a<td>b".repeat(20)}</table>`)).toHaveLength(1);
  });
});
