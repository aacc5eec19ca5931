import { describe, expect, it } from "vitest";
import type { Column, Relation } from "./relation.ts";
import { columnLabel, formatValue, renderRow } from "./row-document.ts";

const column = (name: string, typeName = "text", category = "S"): Column => ({ name, typeName, category });
const relation: Relation = {
  name: "faq",
  from: "faq AS q",
  columns: [column("id", "integer", "N"), column("question"), column("answer"), column("owner")],
  key: [column("id", "integer", "N")],
  keyIsPrimary: true,
  title: column("question"),
  watermark: null,
  owner: column("owner"),
};

describe("renderRow", () => {
  it("makes the title a heading, leaves the owner out, and falls back to the key for a row without a title", () => {
    const row = new Map([
      ["id", "4"],
      ["question", "How do I reset\nit?"],
      ["answer", "Hold the button."],
      ["owner", "ada"],
    ]);
    expect(renderRow(relation, row)).toEqual({
      key: ["4"],
      title: "How do I reset it?",
      markdown: "# How do I reset it?\n\nId: 4\n\nAnswer: Hold the button.\n",
    });
    expect(renderRow(relation, new Map([...row, ["question", null]])).title).toBe("faq 4");
  });

  it("gives long and many-lined values a section each, after the short ones", () => {
    const row = new Map([
      ["id", "4"],
      ["answer", "x".repeat(500)],
    ]);
    expect(renderRow(relation, row).markdown).toBe(`# faq 4\n\nId: 4\n\n## Answer\n\n${"x".repeat(500)}\n`);
  });
});

describe("formatValue", () => {
  it("writes times, arrays and JSON as a person reads them", () => {
    expect(formatValue(column("at", "timestamp with time zone", "D"), "2024-03-01 10:30:00.5+00")).toBe(
      "2024-03-01T10:30:00.5Z",
    );
    expect(formatValue(column("at", "timestamp without time zone", "D"), "2024-03-01 10:30:00")).toBe(
      "2024-03-01T10:30:00",
    );
    expect(formatValue(column("tags", "text[]", "A"), '{a,"b, c",NULL}')).toBe("a, b, c");
    expect(formatValue(column("grid", "integer[]", "A"), "{{1,2},{3,4}}")).toBe('[["1","2"],["3","4"]]');
    expect(formatValue(column("spec", "jsonb", "U"), '{"a": 1}')).toBe('{"a": 1}');
    const long = JSON.stringify({ text: "x".repeat(500) });
    expect(formatValue(column("spec", "jsonb", "U"), long)).toBe(
      `\`\`\`json\n${JSON.stringify(JSON.parse(long), null, 2)}\n\`\`\``,
    );
    expect(formatValue(column("spec", "json", "U"), long.slice(0, -3))).toBe(long.slice(0, -3));
  });
});

describe("columnLabel", () => {
  it.each([
    ["created_at", "Created at"],
    ["createdAt", "Created at"],
    ["größe_mm", "Größe mm"],
    ["URL", "URL"],
  ])("reads %s as %s", (name, label) => {
    expect(columnLabel(name)).toBe(label);
  });
});
