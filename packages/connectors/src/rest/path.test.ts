import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePath, reachesAll, select, selectAll, selectList, textOf } from "./path.ts";
import { fillAddress, fillTemplate, parseTemplate } from "./template.ts";

const answer = {
  data: { items: [{ id: 1, tags: ["a", "b"] }, { id: 2 }], empty: [] },
  "odd name": { "with.dot": "x" },
  $id: "own",
  edges: [{ node: { id: "n1" } }, { node: { id: "n2" } }, {}],
};

describe("paths into an answer", () => {
  it.each([
    ["", answer],
    ["$", answer],
    ["data.items[0].id", 1],
    ["$.data.items[1].id", 2],
    ['$["odd name"]["with.dot"]', "x"],
    ["$id", "own"],
    ["data.items[7].id", undefined],
    ["data.nothing.at.all", undefined],
    ['["odd name"]["with.dot"]', "x"],
    ["edges[*].node.id", ["n1", "n2"]],
    ["data.items[*].tags[*]", ["a", "b"]],
    ["[0]", undefined],
  ])("%j leads to its value", (path, expected) => {
    expect(select(answer, parsePath(path))).toEqual(expected);
  });

  it.each(["a..b", ".a", "a.", "a[", "a[-1]", "a[?(@.x)]", "a[(1)]", "a['b']", "a b", "a[0", 'a["b]', "$..a"])(
    "%j is refused",
    (path) => {
      expect(() => parsePath(path)).toThrow("is not a path");
    },
  );

  it("know nothing but what the service sent", () => {
    for (const path of ["constructor", "__proto__", "toString", "data.items.length", "data.items[*].constructor"]) {
      expect(selectAll(answer, parsePath(path))).toEqual([]);
    }
    expect(selectAll("text", parsePath("length"))).toEqual([]);
  });

  it("tell a list that is empty from one that is not there", () => {
    expect(selectList(answer, parsePath("data.empty"))).toEqual([]);
    expect(selectList({ edges: [] }, parsePath("edges[*].node"))).toEqual([]);
    expect(selectList(answer, parsePath("edges[*].node"))).toEqual([{ id: "n1" }, { id: "n2" }]);
    for (const path of ["data.missing", "data", "missing[*].node"]) {
      expect(selectList(answer, parsePath(path))).toBeNull();
    }
  });

  it("say whether they miss something within a list", () => {
    expect(reachesAll(answer, parsePath("data.items[*].id"))).toBe(true);
    expect(reachesAll(answer, parsePath("data.items[*].tags[*]"))).toBe(false);
    expect(reachesAll(answer, parsePath("edges[*].node.id"))).toBe(false);
    expect(reachesAll(answer, parsePath("data.empty[*].id"))).toBe(true);
    expect(reachesAll(answer, parsePath("data.missing"))).toBe(true);
  });

  it("reach any name that JSON can hold, when it is quoted", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.jsonValue(), (name, value) => {
        const object = JSON.parse(`{${JSON.stringify(name)}: ${JSON.stringify(value)}}`) as unknown;
        expect(select(object, parsePath(`[${JSON.stringify(name)}]`))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("give values as people read them", () => {
    expect([null, undefined, 0, true, "x", ["a", null, 2], { a: 1 }].map(textOf)).toEqual([
      "",
      "",
      "0",
      "true",
      "x",
      "a, 2",
      '{"a":1}',
    ]);
  });
});

describe("templates", () => {
  const item = { title: "Größe & Co", id: "a/b?c", path: "..", link: "https://x.example/a b", author: { name: "Ann" } };
  it("put values where their paths stand, and braces where they are doubled", () => {
    expect(fillTemplate(parseTemplate("{title} by {author.name}{missing}: {{x}}"), item)).toBe(
      "Größe & Co by Ann: {x}",
    );
    expect(fillTemplate(parseTemplate(""), item)).toBe("");
  });

  it("let no value leave its place in an address", () => {
    expect(fillAddress(parseTemplate("items/{id}?q={title}"), item)).toBe(
      "items/a%2Fb%3Fc?q=Gr%C3%B6%C3%9Fe%20%26%20Co",
    );
    // Even encoded, two dots name the folder above.
    expect(() => fillAddress(parseTemplate("items/{path}/text"), item)).toThrow("another folder");
    expect(fillAddress(parseTemplate("{link}"), item)).toBe("https://x.example/a b");
  });

  it.each(["{", "}", "{}", "{ }", "{a", "a}", "{a{b}}"])("%j is refused", (text) => {
    expect(() => parseTemplate(text)).toThrow();
  });
});
