import { describe, expect, it } from "vitest";
import { needsJavaScript, readPageFacts } from "./page-facts.ts";
import { maxLinks } from "./page-limits.ts";

describe("readPageFacts", () => {
  it("reads a title without the markup that was left in it", () => {
    expect(readPageFacts("<title>A &amp; <b>B</b></title>").title).toBe("A & B");
    expect(readPageFacts("<title><b></b></title>").title).toBeNull();
  });

  it("reads title, links, base, canonical address and robots rules", () => {
    const facts = readPageFacts(`<!doctype html><html><head><title> A &amp;
      B </title><base href="/docs/"><link rel="Canonical alternate" href="/a"><meta name="ROBOTS" content="NoIndex, follow">
      </head><body><a href="x">x</a><a>no</a><map><area href="y"></map><svg><title>Icon</title></svg></body></html>`);
    expect(facts).toMatchObject({
      title: "A & B",
      base: "/docs/",
      canonical: "/a",
      noindex: true,
      nofollow: false,
      links: ["x", "y"],
    });
  });

  it("follows frames, and pages that send their reader on", () => {
    const frames = `<frameset cols="20%,80%"><frame src="menu.html"><frame src="start.html"></frameset>`;
    expect(readPageFacts(frames).links).toEqual(["menu.html", "start.html"]);
    expect(readPageFacts(`<iframe src="/inner"></iframe><iframe srcdoc="x"></iframe>`).links).toEqual(["/inner"]);
    const sentBy = (content: string) => readPageFacts(`<meta http-equiv="Refresh" content="${content}">`).links;
    for (const content of ["0; url=en/", "0;URL='en/'", " 5 ; url = en/ ", "0, en/", "0;url=&quot;en/&quot; x"]) {
      expect(sentBy(content), content).toEqual(["en/"]);
    }
    expect(sentBy("30")).toEqual([]);
  });

  it("says when there are more links than it tells", () => {
    const page = (count: number) => readPageFacts(`<a href="x">x</a>`.repeat(count));
    expect(page(maxLinks)).toMatchObject({ hasMoreLinks: false });
    expect(page(maxLinks + 1)).toMatchObject({ hasMoreLinks: true });
    expect(page(maxLinks + 1).links).toHaveLength(maxLinks);
  });

  it("keeps only what a reader could see", () => {
    const { text, scripts } = readPageFacts(
      `<style>a{}</style><p>One  <b>two</b></p><script>var no</script><noscript>Enable JavaScript</noscript>
       <template>no</template><script type="application/ld+json">{}</script>three`,
    );
    expect(text).toBe("One two three");
    expect(scripts).toBe(1);
  });

  it("survives a page nested a hundred thousand deep", () => {
    expect(readPageFacts(`${"<div>".repeat(100_000)}deep`).text).toBe("deep");
  });
});

describe("needsJavaScript", () => {
  it("tells an empty shell from a page, and a short page without scripts from both", () => {
    const facts = (html: string) => readPageFacts(html);
    expect(needsJavaScript(facts(`<div id="root"></div><script src="app.js"></script>`))).toBe(true);
    expect(needsJavaScript(facts(`<p>${"text ".repeat(100)}</p><script src="app.js"></script>`))).toBe(false);
    expect(needsJavaScript(facts("<p>Short.</p>"))).toBe(false);
  });
});

describe("mainText", () => {
  const mainText = (html: string) => readPageFacts(html).mainText;

  it("is the same whatever stands around the content", () => {
    const page = (around: string, nonce: string) =>
      `<html><body class="ads-free"><header>Menu ${around}</header><nav>${around}</nav>
       <div class="ad-slot">Buy ${around}</div><form><h1>Pumps</h1><p>Rinse the filter.</p><input value="${nonce}"></form>
       <aside>Also ${around}</aside><div class="cookie-banner">${around}</div><footer>Built ${around}</footer></body></html>`;
    expect(mainText(page("one", "1"))).toBe("Pumps Rinse the filter.");
    expect(mainText(page("two", "2"))).toBe(mainText(page("one", "1")));
  });

  it("takes the element that says it is the content, with what belongs to it", () => {
    expect(
      mainText(
        "<p>Weather: rain</p><main><header>Head</header><p>Text.</p><aside>Note.</aside></main><p>Visitors: 7</p>",
      ),
    ).toBe("Head Text. Note.");
    expect(mainText("<article>Only one.</article><p>x</p>")).toBe("Only one.");
    expect(mainText("<article>First.</article><article>Second.</article>")).toBe("First. Second.");
  });

  it("takes the whole page where the template hides its content from us", () => {
    expect(mainText("<main></main><p>All the text stands here.</p>")).toBe("All the text stands here.");
    expect(mainText('<div class="promo">All the text stands in an advertisement.</div>')).toBe(
      "All the text stands in an advertisement.",
    );
  });
});

describe("feeds and sign-in", () => {
  it("finds the feeds that a page names, and whether it asks for a password", () => {
    const facts = readPageFacts(
      `<html lang="de"><link rel="alternate" type="application/rss+xml" href="/rss"><link rel=alternate type="application/feed+json; charset=utf-8" href="/json">
       <link rel="alternate" hreflang="en" href="/en"><input type="PASSWORD">`,
    );
    expect(facts.feeds).toEqual(["/rss", "/json"]);
    expect(facts).toMatchObject({ language: "de", passwordFields: 1 });
  });
});
