import { describe, expect, it } from "vitest";
import { failureOf, outlineOf, parseFixture } from "../testing/outline-of.ts";

const u16 = (value: number) => Buffer.from([value & 0xff, value >> 8]);
const u32 = (value: number) => Buffer.concat([u16(value & 0xffff), u16(value >>> 16)]);
const attribute = (id: number, data: Uint8Array, length = data.length) =>
  Buffer.concat([Buffer.from([2]), u16(id), u16(6), u32(length), data, u16(0)]);
const padded = (data: Buffer) => Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)]);
const property = (type: number, id: number, data: Buffer) => Buffer.concat([u16(type), u16(id), data]);
const text = (type: number, id: number, data: Buffer) =>
  property(type, id, Buffer.concat([u32(1), u32(data.length), padded(data)]));

/** As Outlook packs them: what an attachment is drawn as begins it, its title is a short name. */
const attachment = (title: string, data: string | null, ...properties: Buffer[]) =>
  Buffer.concat([
    attribute(0x9002, Buffer.alloc(14)),
    attribute(0x8010, Buffer.from(`${title}\0`)),
    ...(data === null ? [] : [attribute(0x800f, Buffer.from(data))]),
    attribute(0x9005, Buffer.concat([u32(properties.length), ...properties])),
  ]);
const winmail = (...parts: Buffer[]) =>
  Buffer.concat([Buffer.from([0x78, 0x9f, 0x3e, 0x22]), u16(1), attribute(0x9006, u32(0x10000)), ...parts]);

const longName = text(0x001f, 0x3707, Buffer.from("Größen und Preise.csv\0", "utf16le"));
const before = [
  property(0x0003, 0x0e20, u32(7)),
  property(0x000b, 0x8001, Buffer.concat([Buffer.alloc(16), u32(0), u32(5), u32(1)])),
  property(
    0x0040,
    0x8002,
    Buffer.concat([Buffer.alloc(16), u32(1), u32(6), padded(Buffer.from("a\0b\0\0\0")), Buffer.alloc(8)]),
  ),
  property(0x1003, 0x0e21, Buffer.concat([u32(2), u32(1), u32(2)])),
  text(0x0102, 0x3709, Buffer.from([1, 2, 3, 4, 5])),
];

describe("winmail.dat", () => {
  it("gives its attachments, by their long names where it has them", async () => {
    const document = await parseFixture(
      winmail(attachment("GREN~1.CSV", "part,count\npump,2", ...before, longName), attachment("note.txt", "A note.")),
      "winmail.dat",
    );
    expect(outlineOf(document)).toEqual([
      "heading1 Größen und Preise.csv",
      "table | part | count |\n| --- | --- |\n| pump | 2 |",
      "heading1 note.txt",
      "paragraph A note.",
    ]);
  });

  it("is read inside an e-mail, and says what it cannot open", async () => {
    const packed = winmail(attachment("note.txt", "A note."), attachment("A message", null)).toString("base64");
    const eml = [
      "Subject: S",
      'Content-Type: multipart/mixed; boundary="b"',
      "",
      "--b\r\n\r\nThe body.\r\n--b",
      'Content-Type: application/ms-tnef; name="winmail.dat"\r\nContent-Transfer-Encoding: base64\r\n',
      `${packed}\r\n--b--`,
    ].join("\r\n");
    const document = await parseFixture(eml, "a.eml");
    expect(outlineOf(document).slice(1)).toEqual([
      "paragraph The body.",
      "heading1 winmail.dat",
      "heading2 note.txt",
      "paragraph A note.",
    ]);
    expect(document.warnings.join(" ")).toContain("The attachment A message was left out (DOCUMENT_UNSUPPORTED)");
  });

  it("is damaged where it is cut off, and lives with properties that make no sense", async () => {
    const whole = winmail(attachment("note.txt", "A note."));
    expect(await failureOf(parseFixture(whole.subarray(0, -30), "winmail.dat"))).toMatch(/^DOCUMENT_DAMAGED/u);
    const wild = winmail(attachment("note.txt", "A note.", property(0x001f, 0x3707, u32(0xffffffff)), u32(9)));
    expect(outlineOf(await parseFixture(wild, "winmail.dat"))).toEqual(["heading1 note.txt", "paragraph A note."]);
    const many = winmail(attachment("note.txt", "A note.", property(0x1003, 0x3707, u32(0xffffffff))));
    expect(outlineOf(await parseFixture(many, "winmail.dat"))).toHaveLength(2);
  });
});
