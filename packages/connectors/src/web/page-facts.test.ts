import { describe, expect, it } from "vitest";
import { needsJavaScript, readPageFacts, readRobotsRules } from "./page-facts.ts";

describe("readPageFacts", () => {
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

describe("readRobotsRules", () => {
  it.each([
    ["noindex", true, false],
    ["none", true, true],
    ["index, nofollow", false, true],
    ["annealbot: noindex", true, false],
    ["max-snippet:20", false, false],
    [null, false, false],
  ])("reads %j", (value, noindex, nofollow) => {
    expect(readRobotsRules(value)).toEqual({ noindex, nofollow });
  });
});
