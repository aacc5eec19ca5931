import { expect, it } from "vitest";
import { postgresDialect } from "../postgres/postgres-dialect.ts";
import type { PostgresSession } from "../postgres/session.ts";
import type { Relation } from "./dialect.ts";
import { readRows } from "./rows.ts";

const id = { name: "id", typeName: "text", category: "S" };
const relation: Relation = {
  name: "note",
  prelude: "",
  from: "note AS q",
  table: { schema: "public", table: "note" },
  columns: [id],
  key: [id],
  keyIsPrimary: true,
  title: null,
  watermark: null,
  owner: null,
};
const scan = { columns: [], maxValueChars: 10, sinceWatermark: null, keys: null };

it("ends where a server finds nothing to be behind a key that it gave, rather than to read for ever", async () => {
  let asked = 0;
  const session = {
    async query(sql: string) {
      asked += 1;
      const count = Number(/LIMIT (\d+)/.exec(sql)?.[1]);
      return { fields: [], rows: Array.from({ length: count }, (_, index) => [String(index)]) };
    },
  } as unknown as PostgresSession;
  const read = async () => {
    for await (const _ of readRows(postgresDialect, session, relation, scan)) if (asked > 20) return "on and on";
    return "the end";
  };
  await expect(read()).rejects.toMatchObject({ code: "INVALID_INPUT", retryable: false });
});
