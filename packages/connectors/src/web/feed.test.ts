import { describe, expect, it } from "vitest";
import { parseFeed } from "./feed.ts";

describe("parseFeed", () => {
  it("reads RSS 2.0, with links in text, in CDATA and as permanent ids, and not the links of the channel", () => {
    const feed = `<?xml version="1.0"?><rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>
      <link>https://example.org/</link><atom:link rel="self" href="https://example.org/rss"/><image><link>https://example.org/logo</link></image>
      <item><title>A</title><link> https://example.org/a?x=1&amp;y=2 </link><guid isPermaLink="false">7</guid></item>
      <item><link><![CDATA[https://example.org/b]]></link></item>
      <item><guid>https://example.org/c</guid></item></channel></rss>`;
    expect(parseFeed(feed)).toEqual([
      "https://example.org/a?x=1&y=2",
      "https://example.org/b",
      "https://example.org/c",
    ]);
  });

  it("reads Atom, its pages included, and RSS 1.0", () => {
    const atom = `<feed xmlns="http://www.w3.org/2005/Atom"><link href="/"/><link rel="next" href="/atom?page=2"/>
      <entry><link rel="edit" href="/edit/1"/><link href="/one"/></entry><entry><link rel="alternate" href="/two"/></entry></feed>`;
    expect(parseFeed(atom)).toEqual(["/atom?page=2", "/one", "/two"]);
    const rdf = `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
      <channel><link>/</link></channel><item rdf:about="/x"><link>/x</link></item></rdf:RDF>`;
    expect(parseFeed(rdf)).toEqual(["/x"]);
  });

  it("reads a JSON feed with its next page", () => {
    const feed = {
      version: "https://jsonfeed.org/version/1.1",
      title: "Notes",
      items: [{ id: "1", url: "/one" }, { id: "2", external_url: "https://elsewhere.example/" }, { id: "3" }],
      next_url: "/feed.json?page=2",
    };
    expect(parseFeed(JSON.stringify(feed))).toEqual(["/one", "https://elsewhere.example/", "/feed.json?page=2"]);
  });

  it("reads what it can of a broken feed, and nothing out of what is none", () => {
    expect(parseFeed("<rss><channel><item><link>/a</link></item><item><link>/b")).toEqual(["/a"]);
    expect(parseFeed("<rss><item><title>a & b</title><link>/a</link></item></rss>")).toEqual(["/a"]);
    for (const text of ["", "text", "<html><item><link>/a</link></item></html>", '{"items":[]}', "{", "[]"]) {
      expect(parseFeed(text), text).toBeNull();
    }
  });

  it("expands no entity of the feed's own", () => {
    const bomb = `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss><item><link>/&b;</link></item></rss>`;
    expect(parseFeed(bomb)?.join("")).not.toContain("aaaa");
  });

  it("reads on to the end of a feed whose sections never close", () => {
    expect(parseFeed(`<rss><item><link>/a</link></item>${"<![CDATA[".repeat(300_000)}`)).toEqual(["/a"]);
  });
});
