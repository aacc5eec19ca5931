import { describe, expect, it } from "vitest";
import { originalViewHeaders, originalViewOf } from "./original-view.ts";

const view = (mediaType: string | null, sizeBytes = 1_000) => originalViewOf({ mediaType, sizeBytes });

describe("an original", () => {
  it.each([
    ["application/pdf", "pdf"],
    ["image/png", "image"],
    ["text/html; charset=utf-8", "page"],
    ["Text/Markdown", "text"],
  ])("of type %s is shown as %s", (type, shown) => expect(view(type)).toBe(shown));

  // An SVG is a program as much as a picture; Office files are nothing that a browser shows.
  it.each(["image/svg+xml", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "", null])(
    "of type %s is only ever saved",
    (type) => expect(view(type)).toBeNull(),
  );

  it("that is a very long text is only ever saved; a long PDF is not", () => {
    expect(view("text/plain", 100_000_000)).toBeNull();
    expect(view("application/pdf", 100_000_000)).toBe("pdf");
  });

  it("is shown without scripts, in a frame of ours only, under a type that its bytes do not choose", () => {
    for (const shown of ["image", "page", "text"] as const)
      expect(originalViewHeaders(shown, "image/png")["content-security-policy"]).toMatch(
        /^sandbox; default-src 'none'/,
      );
    for (const shown of ["pdf", "image", "page", "text"] as const)
      expect(originalViewHeaders(shown, "image/png")["content-security-policy"]).toContain("frame-ancestors 'self'");
    expect(originalViewHeaders("text", "text/html")["content-type"]).toBe("text/plain; charset=utf-8");
  });
});
