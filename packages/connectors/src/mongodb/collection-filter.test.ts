import { ObjectId } from "bson";
import { describe, expect, it } from "vitest";
import { parseFilter } from "./collection-filter.ts";
import { collectionSchema, mongodbConfigSchema } from "./config.ts";

const issueOf = (filter: unknown) => collectionSchema.safeParse({ name: "a", filter }).error?.issues[0]?.message;

describe("a collection's filter", () => {
  it("is MongoDB's extended JSON, and may be left out", () => {
    expect(collectionSchema.parse({ name: "a" }).filter).toBeNull();
    const { filter } = collectionSchema.parse({
      name: "a",
      filter: { team: { $oid: "65e1f0c0a1b2c3d4e5f60718" }, at: { $gte: { $date: "2026-01-01T00:00:00Z" } } },
    });
    expect(parseFilter(filter!)).toEqual({
      team: new ObjectId("65e1f0c0a1b2c3d4e5f60718"),
      at: { $gte: new Date("2026-01-01T00:00:00Z") },
    });
    expect(parseFilter({ n: { $numberLong: "9007199254740993" } })["n"].toString()).toBe("9007199254740993");
  });

  it.each([
    [{ $where: "this.a == 1" }, "$where"],
    [{ $and: [{ a: 1 }, { $or: [{ $where: "sleep(9)" }] }] }, "$where"],
    [{ $expr: { $function: { body: "function() {}", args: [], lang: "js" } } }, "$function"],
    [{ $expr: { $accumulator: {} } }, "$accumulator"],
    [{ a: { $code: "function() {}" } }, "$code"],
    [{ $out: "copy" }, "$out"],
    [{ $merge: { into: "copy" } }, "$merge"],
  ])("is refused where it runs code or writes: %j", (filter, name) => {
    expect(issueOf(filter)).toBe(`A filter only compares, and ${name} runs code or writes.`);
  });

  it("is refused where it is no object, no extended JSON, or nests without end", () => {
    expect(issueOf("status")).toContain("record");
    expect(issueOf([{ a: 1 }])).toContain("record");
    expect(issueOf({ _id: { $oid: "short" } })).toContain("Not MongoDB's extended JSON");
    let deep: unknown = 1;
    for (let depth = 0; depth < 10_000; depth += 1) deep = { a: deep };
    expect(issueOf(deep)).toBe("It nests deeper than 50 levels.");
  });

  it("is one for each collection, since a document has one name however it was found", () => {
    const base = { host: "db.example.com", database: "shop", user: "reader" };
    const collections = [{ name: "a", filter: { kind: 1 } }, { name: "a" }];
    expect(mongodbConfigSchema.safeParse({ ...base, collections }).success).toBe(false);
    expect(mongodbConfigSchema.safeParse({ ...base, collections: collections.slice(0, 1) }).success).toBe(true);
  });
});
