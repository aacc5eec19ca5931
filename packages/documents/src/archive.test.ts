import { describe, expect, it } from "vitest";
import { partOf, readArchive } from "./archive.ts";
import { defaultParseLimits } from "./limits.ts";
import { deflatedArchive, type FixtureEntry } from "./testing/archive-fixture.ts";
import { failureOf } from "./testing/outline-of.ts";
import { writeArchive } from "./write-archive.ts";

const MiB = 1024 * 1024;
const open = (entries: readonly FixtureEntry[], limits: Partial<typeof defaultParseLimits> = {}) =>
  readArchive(deflatedArchive(entries), { ...defaultParseLimits, ...limits });

describe("readArchive", () => {
  it("returns the XML parts and only names the others", async () => {
    const archive = await open([
      { name: "a.xml", data: "<a/>" },
      { name: "media/image.png", data: "PNG" },
    ]);
    expect([...archive.parts.keys()]).toEqual(["a.xml"]);
    expect(archive.names).toEqual(["a.xml", "media/image.png"]);
  });

  it("refuses a zip bomb that declares its size, before inflating anything", async () => {
    const bomb = { name: "a.xml", data: `<a>${" ".repeat(40 * MiB)}</a>` };
    expect(await failureOf(open([bomb]))).toMatch(/^DOCUMENT_HOSTILE: .*zip bomb/u);
  });

  it("refuses a zip bomb that hides its size", async () => {
    const bomb = { name: "a.xml", data: `<a>${" ".repeat(40 * MiB)}</a>`, declaredBytes: 1000 };
    expect(await failureOf(open([bomb]))).toMatch(/^DOCUMENT_HOSTILE/u);
  });

  it("refuses parts that together inflate beyond the limit", async () => {
    const parts = [1, 2, 3].map((number) => ({
      name: `${number}.xml`,
      data: `<a>${"x".repeat(1000)}</a>`,
    }));
    expect(await failureOf(open(parts, { maxInflatedBytes: 2000 }))).toMatch(/^DOCUMENT_HOSTILE/u);
  });

  it("accepts a small part that compresses extremely well", async () => {
    const archive = await open([{ name: "a.xml", data: `<a>${" ".repeat(MiB)}</a>` }]);
    expect(archive.parts.get("a.xml")).toHaveLength(MiB + 7);
  });

  it("refuses too many entries", async () => {
    const many = Array.from({ length: 6 }, (_, index) => ({ name: `${index}.xml`, data: "<a/>" }));
    expect(await failureOf(open(many, { maxArchiveEntries: 5 }))).toMatch(
      /^DOCUMENT_HOSTILE: The archive lists 6 entries/u,
    );
  });

  it.each(["../outside.xml", "/etc/passwd.xml", "C:/windows.xml"])("refuses the name %s", async (name) => {
    expect(await failureOf(open([{ name, data: "<a/>" }]))).toMatch(/^DOCUMENT_HOSTILE/u);
  });

  it("refuses a part that is there twice, which readers resolve differently", async () => {
    const twice = ["<a/>", "<b/>"].map((data) => ({ name: "a.xml", data }));
    expect(await failureOf(open(twice))).toMatch(/^DOCUMENT_HOSTILE/u);
  });

  it("refuses document types, whatever the part's encoding", async () => {
    const bomb = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>';
    expect(await failureOf(open([{ name: "a.xml", data: bomb }]))).toMatch(
      /^DOCUMENT_HOSTILE: a.xml declares a document type/u,
    );
    expect(await failureOf(open([{ name: "a.xml", data: Buffer.from(`\uFEFF${bomb}`, "utf16le") }]))).toMatch(
      /^DOCUMENT_HOSTILE/u,
    );
  });

  it("does not mistake a comment or CDATA for a document type", async () => {
    const part = "<a><!-- <!DOCTYPE x> --><![CDATA[<!DOCTYPE y>]]><b c='>'/></a>";
    expect((await open([{ name: "a.xml", data: part }])).parts.size).toBe(1);
  });

  it("refuses deep nesting", async () => {
    expect(await failureOf(open([{ name: "a.xml", data: "<a>".repeat(300) }]))).toMatch(
      /^DOCUMENT_HOSTILE: a.xml nests more than 256/u,
    );
  });

  it("tells damage from a password", async () => {
    const damaged = open([{ name: "a.xml", data: "<a/>", checksum: 1 }]);
    expect(await failureOf(damaged.then((archive) => partOf(archive, "a.xml")))).toMatch(
      /^DOCUMENT_DAMAGED: .*checksum/u,
    );
    expect(await failureOf(open([{ name: "a.xml", data: "<a/>", encrypted: true }]))).toMatch(/^DOCUMENT_ENCRYPTED/u);
    const cut = deflatedArchive([{ name: "a.xml", data: "<a/>" }]).subarray(0, 40);
    expect(await failureOf(readArchive(cut, defaultParseLimits))).toMatch(/^DOCUMENT_DAMAGED/u);
  });
});

describe("writeArchive", () => {
  it("writes what readArchive reads back", async () => {
    const parts = new Map([
      ["a.xml", Buffer.from("<a>ü</a>")],
      ["b/ü.rels", Buffer.from("<b/>")],
    ]);
    const archive = await readArchive(writeArchive(parts), defaultParseLimits);
    expect([...archive.parts].map(([name, data]) => [name, Buffer.from(data).toString()])).toEqual([
      ["a.xml", "<a>ü</a>"],
      ["b/ü.rels", "<b/>"],
    ]);
  });
});
