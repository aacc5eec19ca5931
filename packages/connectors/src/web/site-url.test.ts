import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSkippedFile, normaliseUrl, pathOf, siteOf } from "./site-url.ts";

const site = siteOf(new URL("https://example.org/"));
const from = (href: string, base = "https://example.org/a/b") => normaliseUrl(href, base, site);

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
    ]) {
      expect(from(href), href).toBe("https://example.org/a/c");
    }
    expect(from("?b=2&a=%20&fbclid=1")).toBe("https://example.org/a/b?a=%20&b=2");
    expect(from("?flag")).toBe("https://example.org/a/b?flag");
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

  it("takes addresses that grow by themselves for traps", () => {
    expect(from("/x/y/x/y/x/y/x/y")).toBeNull();
    expect(from(`/${"a/".repeat(40)}`)).toBeNull();
    expect(
      from(
        `/?${"abcdefghi"
          .split("")
          .map((name) => `${name}=1`)
          .join("&")}`,
      ),
    ).toBeNull();
    expect(from(`/${"x".repeat(3000)}`)).toBeNull();
  });

  it("changes nothing when applied to its own result", () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
        const own = siteOf(new URL(url));
        const once = normaliseUrl(url, url, own);
        if (once !== null) expect(normaliseUrl(once, url, own)).toBe(once);
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
    for (const path of ["/logo.PNG", "/app.js?v=1", "/x.tar.gz", "/feed.rss"])
      expect(isSkippedFile(`https://example.org${path}`)).toBe(true);
    for (const path of ["/", "/a.html", "/manual.pdf", "/v1.2", "/about.php?x=logo.png"]) {
      expect(isSkippedFile(`https://example.org${path}`)).toBe(false);
    }
  });
});
