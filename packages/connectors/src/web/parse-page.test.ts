import { parse, serialize } from "parse5";
import { describe, expect, it } from "vitest";
import { parsePage } from "./parse-page.ts";

describe("parsePage", () => {
  it("builds the same tree as the parser does at once, wherever its parts end", () => {
    const word = "<p class='größe'>wörter 😀 &amp; &notit;<!-- <b> --><script>if (a < b) '</p>'</script>\r\n";
    for (let shift = 0; shift < 40; shift += 1) {
      const html = `${"x".repeat(4096 - shift)}${word}<table><b>${word}${"y".repeat(4096)}${word}`;
      expect(serialize(parsePage(html))).toBe(serialize(parse(html)));
    }
  });

  it("refuses markup that multiplies itself, before it fills the memory", () => {
    const open = Array.from({ length: 3000 }, (_, index) => `<font a=${index}>`).join("");
    const limits = { elements: 100_000, cpuMs: 60_000 };
    expect(() => parsePage(`<p>${open}${"<p>x".repeat(3000)}`, limits)).toThrow(
      expect.objectContaining({ code: "DOCUMENT_HOSTILE", message: expect.stringContaining("100,000 elements") }),
    );
  });

  it("refuses what takes too long, soon after", () => {
    const html = "<x>".repeat(200_000) + "</y>".repeat(2_000_000);
    const start = performance.now();
    expect(() => parsePage(html, { elements: 1_000_000, cpuMs: 500 })).toThrow(
      expect.objectContaining({ code: "DOCUMENT_HOSTILE", message: expect.stringContaining("too long") }),
    );
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});
