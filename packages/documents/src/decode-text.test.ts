import { describe, expect, it } from "vitest";
import { decodeText } from "./decode-text.ts";

const latin = (text: string) => Buffer.from(text, "latin1");

describe("decodeText", () => {
  it("reads UTF-8 with and without a byte order mark", () => {
    expect(decodeText(Buffer.from("Grüße"))).toEqual({
      text: "Grüße",
      encoding: "utf-8",
      warnings: [],
    });
    expect(decodeText(Buffer.from("\uFEFFGrüße")).text).toBe("Grüße");
  });

  it("reads UTF-16 with and without a byte order mark", () => {
    expect(decodeText(Buffer.from("\uFEFFGrüße", "utf16le")).text).toBe("Grüße");
    expect(decodeText(Buffer.from("Hello there", "utf16le"))).toMatchObject({
      text: "Hello there",
      encoding: "utf-16le",
    });
    expect(decodeText(Buffer.from("Hello there", "utf16le").swap16())).toMatchObject({
      text: "Hello there",
      encoding: "utf-16be",
    });
  });

  it("reads windows-1252 when nothing else fits, and says so", () => {
    const decoded = decodeText(latin("Gr\xfc\xdfe \x96 100 \x80"));
    expect(decoded).toMatchObject({ text: "Grüße – 100 €", encoding: "windows-1252" });
    expect(decoded.warnings).toHaveLength(1);
  });

  it("uses the declared encoding when the bytes are not UTF-8, and ignores an unknown one", () => {
    expect(decodeText(latin("\xcf\xf0\xe8\xe2\xe5\xf2"), "windows-1251").text).toBe("Привет");
    expect(decodeText(Buffer.from("Grüße"), "iso-8859-1").text).toBe("Grüße");
    expect(decodeText(latin("Gr\xfc\xdfe"), "no-such-encoding").text).toBe("Grüße");
  });

  it("reads ISO-2022-JP where it is declared, whose bytes are all ASCII", () => {
    const bytes = latin("\x1b$B%F%9%H\x1b(B");
    expect(decodeText(bytes, "ISO-2022-JP").text).toBe("テスト");
    expect(decodeText(latin("\x1b[31mred\x1b[0m")).text).toBe("\x1b[31mred\x1b[0m");
  });

  it("keeps a UTF-8 text with broken sequences, and counts them", () => {
    const decoded = decodeText(
      Buffer.concat([Buffer.from("Grüße, größer: "), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from(" und mehr")]),
    );
    expect(decoded.text).toBe("Grüße, größer: \uFFFD(\uFFFD und mehr");
    expect(decoded.warnings[0]).toContain("2 byte sequences not valid in utf-8");
  });
});
