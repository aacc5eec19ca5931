import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSkippedFile, normaliseUrl, pathOf, siteOf } from "./site-url.ts";

const sites = ["https://example.org/", "https://docs.example.org/"].map((url) => siteOf(new URL(url)));
const from = (href: string, base = "https://example.org/a/b") => normaliseUrl(href, base, sites);

describe("normaliseUrl", () => {
  it("gives one spelling to one page", () => {
    for (const href of [
      "c",
      "./c",
      "/a/c",
      "//example.org/a/c",
      "http://example.org/a/c",
      "https://www.example.org/a/c#x",
      "c?utm_source=x&gclid=1",
      "/a/x/../c",
      "/a/c;jsessionid=1F",
      "/(S(1xk2jz45v0pmzzn4yx3h1a55))/a/c",
      "c?sid=0a1b2c3d4e5f60718293&mkt_tok=x",
    ]) {
      expect(from(href), href).toBe("https://example.org/a/c");
    }
    expect(from("?b=2&a=%20&fbclid=1")).toBe("https://example.org/a/b?a=%20&b=2");
    expect(from("?flag")).toBe("https://example.org/a/b?flag");
    // The number of a story, as old news sites write it.
    expect(from("?sid=12")).toBe("https://example.org/a/b?sid=12");
    expect(from("https://docs.example.org/x?utm_medium=y")).toBe("https://docs.example.org/x");
  });

  it("leaves the site for nothing", () => {
    for (const href of [
      "http://example.com/",
      "https://example.org:8443/",
      "https://evil.example.org.evil/",
      "mailto:a@b.c",
      "javascript:0",
      "http://[",
      "ftp://example.org/",
      "https://sub.example.org/",
    ]) {
      expect(from(href), href).toBeNull();
    }
  });

  it("changes nothing when applied to its own result", () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
        const own = siteOf(new URL(url));
        const once = normaliseUrl(url, url, [own]);
        if (once !== null) expect(normaliseUrl(once, url, [own])).toBe(once);
      }),
    );
  });
});

describe("pathOf", () => {
  it("shows a path as a person writes it in a pattern, and keeps one that cannot be decoded", () => {
    expect(pathOf("https://example.org/docs/gr%C3%B6%C3%9Fe.html?x=1")).toBe("docs/größe.html");
    expect(pathOf("https://example.org/%zz")).toBe("%zz");
  });
});

describe("isSkippedFile", () => {
  it("asks for pages and documents, not for pictures, code and archives", () => {
    const files = [
      "/logo.PNG",
      "/x.tar.gz",
      "/a/app.min.js",
      "/main.chunk.css?v=1",
      "/app.bundle.mjs",
      "/a.min.js.map",
    ];
    for (const path of files) expect(isSkippedFile(`https://example.org${path}`)).toBe(true);
    for (const path of ["/", "/a.html", "/manual.pdf", "/v1.2", "/feed.rss", "/about.php?x=logo.png"]) {
      expect(isSkippedFile(`https://example.org${path}`)).toBe(false);
    }
  });

  it("leaves open what a page may be called as well", () => {
    const pages = [
      "/wiki/Node.js",
      "/wiki/Normalize.css",
      "/js",
      "/wiki/D3.js?action=history",
      "/wiki/Tailwind.css.map",
    ];
    const inFolders = [
      "/learn/css/Normalize.css",
      "/guides/js/Vue.js",
      "/themes/Node.js",
      "/docs/build/webpack.config.js",
    ];
    const versions = ["/wiki/Node.js?version=14", "/wiki/Vue.js?20260301", "/wiki/ECMAScript-proposal2024.js"];
    for (const path of [...pages, ...inFolders, ...versions]) {
      expect(isSkippedFile(`https://example.org${path}`), path).toBe(false);
    }
  });
});
