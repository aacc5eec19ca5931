import { describe, expect, it } from "vitest";
import type { Column } from "../sql/dialect.ts";
import { formatValue } from "./postgres-dialect.ts";

const column = (name: string, typeName: string, category: string): Column => ({ name, typeName, category });

describe("formatValue", () => {
  it("writes times, arrays and JSON as a person reads them", () => {
    expect(formatValue(column("at", "timestamp with time zone", "D"), "2024-03-01 10:30:00.5+00")).toBe(
      "2024-03-01T10:30:00.5Z",
    );
    expect(formatValue(column("at", "timestamp without time zone", "D"), "2024-03-01 10:30:00")).toBe(
      "2024-03-01T10:30:00",
    );
    expect(formatValue(column("at", "timestamp without time zone", "D"), "infinity")).toBe("infinity");
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
