import { describe, expect, it } from "vitest";
import type { Column, Relation } from "./dialect.ts";
import { columnLabel, readJsonOwners, renderRow } from "./row-document.ts";

const column = (name: string, typeName = "text", category = "S"): Column => ({ name, typeName, category });
const relation: Relation = {
  name: "faq",
  prelude: "",
  from: "faq AS q",
  table: null,
  columns: [column("id", "integer", "N"), column("question"), column("answer"), column("owner")],
  key: [column("id", "integer", "N")],
  keyIsPrimary: true,
  title: column("question"),
  watermark: null,
  owner: column("owner"),
};
const render = (row: Map<string, string | null>) => renderRow(relation, row, (_, raw) => raw);

describe("renderRow", () => {
  it("makes the title a heading, leaves the owner out, and falls back to the key for a row without a title", () => {
    const row = new Map([
      ["id", "4"],
      ["question", "How do I reset\nit?"],
      ["answer", "Hold the button."],
      ["owner", "ada"],
    ]);
    expect(render(row)).toEqual({
      key: ["4"],
      title: "How do I reset it?",
      markdown: "# How do I reset it?\n\nId: 4\n\nAnswer: Hold the button.\n",
    });
    expect(render(new Map<string, string | null>([...row, ["question", null]])).title).toBe("faq 4");
  });

  it("gives long and many-lined values a section each, after the short ones", () => {
    const row = new Map([
      ["answer", "x".repeat(500)],
      ["id", "4"],
    ]);
    expect(render(row).markdown).toBe(`# faq 4\n\nId: 4\n\n## Answer\n\n${"x".repeat(500)}\n`);
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

describe("readJsonOwners", () => {
  it.each([
    ["ada", ["ada"]],
    [" 17 ", ["17"]],
    ['["ada", 17, "", null, {"id": "eve"}]', ["ada", "17"]],
    ["[92395783831158785, 7]", ["92395783831158785", "7"]],
    ["[1e300, 0.5]", []],
    ["", []],
    ["[]", []],
    ["[ada", []],
  ])("reads %j as %j", (raw, owners) => {
    expect(readJsonOwners(raw)).toEqual(owners);
  });
});
