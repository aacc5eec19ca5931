import { describe, expect, it } from "vitest";
import { outlineOf, parseFixture } from "../testing/outline-of.ts";

const read = async (body: string) =>
  outlineOf(
    await parseFixture(`<!DOCTYPE html><html><head><title>Page</title></head><body>${body}</body></html>`, "a.html"),
  );
const prose =
  "A pump is checked by hand before it leaves the works, and again by the one who installs it, so that no leak is found by the customer.";
const menu = "<ul><li><a href=/>Home</a><li><a href=/buy>Buy</a></ul>";

describe("the furniture of a page", () => {
  it("is left out by what the page calls it: footers, slogans, menus", async () => {
    const page = `<div class="tagline wide">Quiet. Dry.<br>Ours.</div><div class=mainmenu><a href=/>Home</a> <a href=/b>Buy pumps</a></div>
      <h1>Pumps</h1><p>${prose}</p><footer><p>Works 4, Lindmarsh</p></footer><div id=copyright>1999 Pump Ltd</div><div class="x lastmod">3 May</div>`;
    expect(await read(page)).toEqual(["title Pumps", `paragraph ${prose}`]);
  });

  it("stays where it holds prose, a heading or dishes, belongs to an article, or sums up what a heading says", async () => {
    const kept = [
      `<div class=footer><p>${prose}</p></div>`,
      "<div class=footer><h2>Notes</h2></div>",
      "<div class=menu><p>Soup, 5 euros</p><p><a href=/w>Wine</a></p></div>",
      "<article><p>Quote</p><footer>By Ann Lee</footer></article>",
      "<div class=nosearch><p>Page</p><p><a href=/a>Home of all pumps</a></p></div>",
      "<h1>Pump</h1><p class=tagline>The quiet pump for 5 bar.</p>",
    ];
    expect(await Promise.all(kept.map(read))).toEqual([
      [`paragraph ${prose}`],
      ["heading2 Notes"],
      ["paragraph Soup, 5 euros", "paragraph Wine"],
      ["paragraph Quote", "paragraph By Ann Lee"],
      ["paragraph Page", "paragraph Home of all pumps"],
      ["title Pump", "paragraph The quiet pump for 5 bar."],
    ]);
  });

  it("is left out without a name above the last menu before the first heading, a title after it is not", async () => {
    const page = `<p>Quiet. Dry. Ours.</p><p><a href=/log>Log in</a></p><p>${prose}</p><p>Valid from 2026</p>${menu}<div>Pump care</div><h2>1. Oil</h2><p>Dry.</p>`;
    expect(await read(page)).toEqual([
      `paragraph ${prose}`,
      "paragraph Valid from 2026",
      "paragraph Pump care",
      expect.stringMatching(/1\. Oil$/u),
      "paragraph Dry.",
    ]);
    expect(await read("<p>Quiet. Dry. Ours.</p><h1>Pumps</h1><p>Dry.</p>")).toContain("paragraph Quiet. Dry. Ours.");
  });

  it("is a table of contents with the link that opens it, but not the title above", async () => {
    const contents = "<ul><li><a href=#oil>Oil</a><li><a href=#care>Care</a></ul>";
    const page = `<p>Slow. Wet. Ours.</p><p>A page</p>${menu}<div>Pump care</div><p><a onclick=x()>▶ Contents</a></p>${contents}<h2>Oil</h2><p>Dry.</p>`;
    expect(await read(page)).toEqual(["paragraph A page", "paragraph Pump care", "heading2 Oil", "paragraph Dry."]);
  });

  it("is a table of contents by its name, where its links stay in the page", async () => {
    const contents = (href: string) =>
      `<div class=big_toc><a onclick=x()>▶ Contents</a><div class=big-toc1><a href=${href}>1. Oil</a></div></div>`;
    expect(await read(`${contents("#oil")}<p>Dry.</p>`)).toEqual(["paragraph Dry."]);
    expect(await read(`${contents("/oil")}<p>Dry.</p>`)).toEqual([
      "paragraph ▶ Contents",
      "paragraph 1. Oil",
      "paragraph Dry.",
    ]);
  });

  it("is left out at the end where a line says when the page was changed or whose it is", async () => {
    const end =
      "<p><small>This page last modified on <a href=/x>2021-06-03 20:37</a> UTC</small></p><p>© 2021 Pump Ltd. All rights reserved.</p>";
    expect(await read(`<h1>Pumps</h1><p>${prose}</p>${end}`)).toEqual(["title Pumps", `paragraph ${prose}`]);
    const text = "<p>This page was last modified by hand.</p><p>Policy last updated on 3 May.</p>";
    expect(await read(`<h1>Pumps</h1>${text}`)).toHaveLength(3);
    expect(await read(`<p>${prose}</p><p>This page was last changed by hand.</p>`)).toHaveLength(2);
    expect(await read("<p>This page last modified on 2021-06-03</p>")).toHaveLength(1);
  });

  it("is a dialog over the page", async () => {
    const dialogs = `<div role=dialog><h2>Privacy</h2><p>${prose}</p></div><div aria-modal=true>Newsletter</div>`;
    expect(await read(`${dialogs}<h1>Pumps</h1><p>${prose}</p>`)).toEqual(["title Pumps", `paragraph ${prose}`]);
  });

  it("is a row of links without a name above the first heading and after all else", async () => {
    const row = (first: string) =>
      `<div><a href=/>${first}</a> | <a href=/b>Buy pumps</a> | <a href=/c>Contact</a></div>`;
    expect(await read(`${row("Home")}<h1>Pumps</h1><p>${prose}</p>${row("About")}${row("Legal")}`)).toEqual([
      "title Pumps",
      `paragraph ${prose}`,
    ]);
    const inside = await read(
      `<h1>Pumps</h1>${row("Small")}<p>${prose}</p><p><a href=/a>One</a>, <a href=/b>two</a></p>`,
    );
    expect(inside).toEqual([
      "title Pumps",
      "paragraph Small | Buy pumps | Contact",
      `paragraph ${prose}`,
      "paragraph One, two",
    ]);
    expect(await read(`<h1>Links</h1>${row("Home")}`)).toHaveLength(2);
    expect(await read(`<h1>Pumps</h1><p>${prose}</p><p>See ${row("A").replace(/<\/?div>/g, "")}</p>`)).toHaveLength(3);
  });

  it("keeps prose however many menus stand around it", async () => {
    const nested = `${"<div class=menu>".repeat(390)}<p>${`${prose} `.repeat(2000)}</p>${"</div>".repeat(390)}`;
    expect(await read(nested)).toHaveLength(1);
  });
});
