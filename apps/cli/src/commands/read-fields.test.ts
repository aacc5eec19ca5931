import { expect, it } from "vitest";
import { readFields } from "./read-fields.ts";

const schema = {
  properties: {
    host: { type: "string" },
    port: { type: "integer" },
    tls: { type: "boolean" },
    tables: { type: "array" },
    title: { anyOf: [{ type: "string" }, { type: "null" }] },
    mapping: { type: "object" },
  },
};
const read = (...options: string[]) => readFields(options, schema, "--set");

it("reads each value by its field's type", () => {
  expect(read("host=db.example", "port=3306", "tls=false", "tables=a, b", "title=007", 'mapping={"a":1}')).toEqual({
    host: "db.example",
    port: 3306,
    tls: false,
    tables: ["a", "b"],
    title: "007",
    mapping: { a: 1 },
  });
  expect(read('tables=[{"name":"a"}]', "host=a=b")).toEqual({ tables: [{ name: "a" }], host: "a=b" });
});

it("names the field that does not exist, and the ones that do", () => {
  for (const option of ["user=me", "=x", "host", "toString=x"])
    expect(() => read(option)).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT", action: expect.stringContaining("host, port") }),
    );
});

it("never repeats a value that it cannot read", () => {
  expect(() => read("port=hunter2")).toThrow(expect.not.stringContaining("hunter2"));
});
