import { describe, expect, it } from "vitest";
import { cellsOf as cellsOfLine } from "@anneal/core/indexing/table";
import { failureOf, outlineOf, parseFixture } from "../testing/outline-of.ts";

const cellsOf = (table: string) => table.split("\n").map(cellsOfLine);

describe("CSV and TSV", () => {
  it.each([",", ";", "\t", "|"])("finds the delimiter %j", async (delimiter) => {
    const text = [
      ["a", "b"],
      ["1,5", "x"],
      ["2", '"y\nz"'],
    ]
      .map((row) => row.map((cell) => (cell.includes(",") ? `"${cell}"` : cell)).join(delimiter))
      .join("\n");
    expect(outlineOf(await parseFixture(text, "a.csv"))).toEqual([
      "table | a | b |\n| --- | --- |\n| 1,5 | x |\n| 2 | y z |",
    ]);
  });

  it("reads rows of different length and quotes that do not add up", async () => {
    const document = await parseFixture('a,b\n"open,1\n2\n', "a.csv");
    expect(outlineOf(document)).toEqual(['table | a | b |\n| --- | --- |\n| "open | 1 |\n| 2 |  |']);
    expect(document.warnings).toHaveLength(1);
  });

  it("keeps every row of a long table, in tables that each repeat the header", async () => {
    const rows = Array.from({ length: 100_000 }, (_, index) => `${index},x`);
    const document = await parseFixture(`n,m\n${rows.join("\n")}`, "a.csv");
    const tables = document.elements.map(({ text }) => text.split("\n"));
    expect(tables.every((lines) => lines[0] === "| n | m |" && lines[1] === "| --- | --- |")).toBe(true);
    expect(tables.every((lines) => lines.length <= 502)).toBe(true);
    expect(tables.flatMap((lines) => lines.slice(2))).toEqual(rows.map((row) => `| ${row.replace(",", " | ")} |`));
    expect(document.warnings).toEqual([]);
  });

  it("keeps every column of a wide table, in tables that each begin with the first column", async () => {
    const columns = Array.from({ length: 5_000 }, (_, column) => column);
    const rows = ["c", ...Array.from({ length: 9 }, (_, row) => `${row}.`)].map((name) =>
      columns.map((column) => `${name}${column}`),
    );
    const document = await parseFixture(rows.map((row) => row.join(",")).join("\n"), "a.csv");
    const tables = document.elements.map(({ text }) => cellsOf(text));
    expect(Math.max(...tables.map((table) => table[0]!.length))).toBe(50);
    expect(
      tables.every((table) => table.every((row, at) => at === 1 || row[0] === rows[Math.max(0, at - 1)]![0])),
    ).toBe(true);
    const together = rows.map((row, at) => [row[0], ...tables.flatMap((table) => table[at && at + 1]!.slice(1))]);
    expect(together).toEqual(rows);
    expect(document.warnings).toEqual([]);
  });

  it("leaves out of a wide table's parts the rows that say nothing there", async () => {
    const header = Array.from({ length: 60 }, (_, column) => `c${column}`).join(",");
    const document = await parseFixture(`${header}\nkey${",".repeat(59)}late\nonly\n`, "a.csv");
    expect(
      document.elements.map(({ text }) =>
        cellsOf(text)
          .slice(2)
          .map((row) => row.join("")),
      ),
    ).toEqual([["key", "only"], ["keylate"]]);
  });

  it("refuses a table beyond the limit on text with the length of all of it", async () => {
    const text = `n,m\n${"12345,67890\n".repeat(50_000)}`;
    expect(await failureOf(parseFixture(text, "a.csv", { maxTextLength: 100_000 }))).toBe(
      "DOCUMENT_TOO_LARGE: It has 500,002 characters of text; the limit is 100,000.",
    );
    const wide = `${",".repeat(200)}x\n${`${"y,".repeat(200)}\n`}${"y\n".repeat(20_000)}`;
    expect(await failureOf(parseFixture(wide, "a.csv", { maxTextLength: 100_000 }))).toMatch(
      /^DOCUMENT_TOO_LARGE: It has [1-4]\d\d,\d{3} characters of text; the limit is 100,000\.$/u,
    );
  });
});

describe("JSON and JSON lines", () => {
  it("shows records of very many fields as a table where they have them in common, else as lists", async () => {
    const record = (from: number) => Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`f${from + at}`, at]));
    const common = await parseFixture(JSON.stringify([record(0), record(0)]), "a.json");
    expect(common.elements.flatMap(({ text }) => cellsOf(text)[0])).toContain("f299");
    const apart = await parseFixture(JSON.stringify([record(0), record(1000)]), "a.json");
    expect(apart.elements.map(({ kind }) => kind)).toEqual(["heading", "list", "heading", "list"]);
    expect(apart.elements[3]!.text).toContain("- f1299: 299");
  });

  it("shows flat records as a table", async () => {
    expect(outlineOf(await parseFixture('[{"a":1,"b":"x|y"},{"a":2,"c":true}]', "a.json"))).toEqual([
      `table | a | b | c |\n| --- | --- | --- |\n| 1 | x${String.raw`\|`}y |  |\n| 2 |  | true |`,
    ]);
  });

  it("shows an object as a list of its short fields and a section for each other one", async () => {
    const document = await parseFixture(
      JSON.stringify({
        title: "Pump",
        weight: 3,
        tags: ["a", "b"],
        text: "Long. ".repeat(50),
        empty: null,
        parts: { seal: "rubber" },
      }),
      "a.json",
    );
    expect(document.title).toBe("Pump");
    expect(outlineOf(document)).toEqual([
      "title Pump",
      "list - title: Pump\n- weight: 3",
      "heading1 tags",
      "list - a\n- b",
      "heading1 text",
      `paragraph ${"Long. ".repeat(50).trim()}`,
      "heading1 parts",
      "list - seal: rubber",
    ]);
  });

  it("shows records of different fields one by one, and keeps each of them", async () => {
    const records = Array.from({ length: 3000 }, (_, index) => ({ [`key${index}`]: `value${index}` }));
    const document = await parseFixture(JSON.stringify(records), "a.json");
    expect(document.warnings).toEqual([]);
    expect(outlineOf(document).slice(-2)).toEqual(["heading1 Item 3000", "list - key2999: value2999"]);
  });

  it.each([
    ["flat records", (index: number) => ({ n: index, m: "x" })],
    ["records that hold others", (index: number) => ({ name: `Part ${index}`, of: { n: index } })],
  ])("keeps every one of very many %s", async (_, record) => {
    const many = 30_000;
    const document = await parseFixture(
      JSON.stringify(Array.from({ length: many }, (_each, at) => record(at))),
      "a.json",
    );
    const text = document.elements.map((element) => element.text).join("\n");
    expect(text.match(/^(?:\| \d+ \|.*|- n: \d+)$/gmu)).toHaveLength(many);
    expect(document.warnings).toEqual([]);
  });

  it("names records with long texts by their title", async () => {
    const records = ["One", "Two"].map((title) => ({ title, body: `${title} `.repeat(100) }));
    const document = await parseFixture(records.map((record) => JSON.stringify(record)).join("\n"), "a.jsonl");
    expect(
      document.elements.filter((element) => element.kind === "paragraph").map((element) => element.section),
    ).toEqual([
      ["One", "body"],
      ["Two", "body"],
    ]);
  });

  it("keeps every digit of a long number", async () => {
    expect(outlineOf(await parseFixture('{"id": 12345678901234567890}', "a.json"))).toEqual([
      "list - id: 12345678901234567890",
    ]);
  });

  it("reads JSON lines under a .json name, and leaves out bad lines with a warning", async () => {
    expect(outlineOf(await parseFixture('{"a":1}\n{"a":2}\n', "a.json"))).toEqual([
      "table | a |\n| --- |\n| 1 |\n| 2 |",
    ]);
    const document = await parseFixture('{"a":1}\nnot json\n{"a":2}\n', "a.jsonl");
    expect(document.warnings).toEqual(["1 line not valid JSON, left out (line 2)."]);
  });

  it("refuses what is not JSON at all, and bounds nesting", async () => {
    expect(await failureOf(parseFixture("{ nope", "a.json"))).toMatch(/^DOCUMENT_DAMAGED: The file is not valid JSON/u);
    const deep = await parseFixture(`${"[".repeat(5000)}1${"]".repeat(5000)}`, "a.json");
    expect(deep.warnings).toEqual(["Values nested deeper than 64 levels were left out."]);
  });
});

describe("XML", () => {
  it("reads repeated elements as a table and attributes as fields", async () => {
    const text =
      '<?xml version="1.0"?><stock><item id="1"><name>Pump</name></item><item id="2"><name>Valve</name></item></stock>';
    expect(outlineOf(await parseFixture(text, "a.xml"))).toEqual([
      "heading1 item",
      "table | id | name |\n| --- | --- |\n| 1 | Pump |\n| 2 | Valve |",
    ]);
  });

  it("reads a marked-up text in its order: headings, paragraphs, lists, tables and listings", async () => {
    const text = `<?xml version="1.0"?><!DOCTYPE book PUBLIC "-//OASIS//DTD DocBook" "http://127.0.0.1:9/docbook.dtd">
      <book><title>Handbuch 手引き</title><chapter><title>Grenzen</title><para>Größe <emphasis>5</emphasis>
      µm &#x1F642;.</para><itemizedlist><listitem><para>eins</para></listitem><listitem><para>zwei</para></listitem></itemizedlist>
      <section><title>Mehr</title><table><row><entry>A</entry><entry>B</entry></row><row><entry>1</entry><entry>2</entry></row></table>
      <programlisting>if x:\n  run()</programlisting><para>Ende.</para></section></chapter></book>`;
    const document = await parseFixture(text, "a.xml");
    expect(document.title).toBe("Handbuch 手引き");
    expect(outlineOf(document)).toEqual([
      "title Handbuch 手引き",
      "heading1 Grenzen",
      "paragraph Größe 5 µm 🙂.",
      "list - eins\n- zwei",
      "heading2 Mehr",
      "table | A | B |\n| --- | --- |\n| 1 | 2 |",
      "code if x:\n  run()",
      "paragraph Ende.",
    ]);
    expect(document.elements.at(-1)?.section).toEqual(["Handbuch 手引き", "Grenzen", "Mehr"]);
  });

  it("fetches neither a document type nor an inclusion, and knows no entity but XML's own", async () => {
    const included =
      '<a xmlns:xi="http://www.w3.org/2001/XInclude"><p>Text.</p><xi:include href="file:///etc/passwd"/></a>';
    expect(JSON.stringify(await parseFixture(included, "a.xml"))).not.toContain("root:");
    const undeclared = '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a>&secret;</a>';
    expect(await failureOf(parseFixture(undeclared, "a.xml"))).toMatch(/^DOCUMENT_DAMAGED/u);
    const parameter = '<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><a/>';
    expect(await failureOf(parseFixture(parameter, "a.xml"))).toMatch(/^DOCUMENT_HOSTILE/u);
  });

  it("refuses entity declarations and deep nesting, and says where XML is broken", async () => {
    const bomb = '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c SYSTEM "file:///etc/passwd">]><a>&b;&c;</a>';
    expect(await failureOf(parseFixture(bomb, "a.xml"))).toMatch(/^DOCUMENT_HOSTILE/u);
    expect(await failureOf(parseFixture("<a>".repeat(1000), "a.xml"))).toMatch(/^DOCUMENT_HOSTILE/u);
    expect(await failureOf(parseFixture("<a><b></a>", "a.xml"))).toMatch(/^DOCUMENT_DAMAGED/u);
  });
});
