import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultDeletionPolicy, missingRefsOf } from "@anneal/core/connect/deletion-policy";
import { MemoryTarget } from "../conformance/memory-target.ts";
import { keptReaders } from "./hiding.ts";
import { isIncluded } from "./path-filter.ts";
import { deleteMissing, firstSegment } from "./reconcile.ts";
import { SeenRefs } from "./seen-refs.ts";

function targetWith(refs: string[]): MemoryTarget {
  const target = new MemoryTarget();
  for (const ref of refs) {
    const item = {
      ref,
      uri: ref,
      title: null,
      mediaType: null,
      sizeBytes: null,
      modifiedAt: null,
      fingerprint: "x",
      acl: null,
    };
    target.documents.set(ref, { item, text: "" });
  }
  return target;
}

describe("SeenRefs", () => {
  it("answers as a set of strings does, through every growth", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 3000 }), fc.array(fc.string()), (added, asked) => {
        const seen = new SeenRefs();
        const set = new Set<string>();
        for (const ref of added) {
          expect(seen.add(ref)).toBe(!set.has(ref));
          set.add(ref);
        }
        expect(seen.size).toBe(set.size);
        for (const ref of [...added, ...asked]) expect(seen.has(ref)).toBe(set.has(ref));
      }),
      { numRuns: 30 },
    );
  });
});

describe("deleteMissing", () => {
  it("leaves exactly what was seen, in a source small enough or by a person's word", async () => {
    const refs = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(refs, refs, async (known, listed) => {
        const target = targetWith(known);
        const policy = { ...defaultDeletionPolicy, confirmed: true };
        await target.apply(deleteMissing(target.known(), policy, keptReaders, (ref) => !listed.includes(ref)));
        expect([...target.documents.keys()].sort()).toEqual(known.filter((ref) => listed.includes(ref)).sort());
      }),
    );
  });

  it("deletes nothing at all when the share is too large", async () => {
    const target = targetWith(Array.from({ length: 100 }, (_, index) => `${index}`));
    await target.apply(deleteMissing(target.known(), defaultDeletionPolicy, keptReaders, (ref) => Number(ref) < 21));
    expect(target.documents.size).toBe(100);
    expect(target.failures[0]?.error).toMatchObject({ code: "CONFLICT", details: { known: 100, missing: 21 } });
  });

  it("names the first of the documents that would go, and no failure that is over", async () => {
    const refs = Array.from({ length: 30 }, (_, index) => `docs/${String(index).padStart(2, "0")}`);
    const target = targetWith(["a/kept", ...refs]);
    target.unread.add("a/never read");
    await target.apply(deleteMissing(target.known(), defaultDeletionPolicy, keptReaders, (ref) => ref !== "a/kept"));
    expect(missingRefsOf(target.failures[0]!.error)).toEqual(refs.slice(0, 20));
    const few = targetWith(["one", "two"]);
    await few.apply(deleteMissing(few.known(), defaultDeletionPolicy, keptReaders, (ref) => ref === "two"));
    expect(missingRefsOf(few.failures[0]!.error)).toEqual(["two"]);
  });

  it("counts no failure as a document that is still there", async () => {
    const target = targetWith(Array.from({ length: 25 }, (_, index) => `docs/${index}`));
    for (let index = 0; index < 100; index += 1) target.unread.add(`home/${index}/`);
    const isGone = (ref: string) => ref.startsWith("docs/");
    await target.apply(deleteMissing(target.known(), defaultDeletionPolicy, keptReaders, isGone));
    expect(target.documents.size).toBe(25);
    expect(target.failures[0]?.error).toMatchObject({ code: "CONFLICT", details: { known: 25, missing: 25 } });
  });

  it("lets go of failures that are over without a word, also where documents wait for one", async () => {
    const refs = Array.from({ length: 4 }, (_, index) => `${index}`);
    for (const missing of [0, 1]) {
      const target = targetWith(refs);
      for (const ref of ["a/", "b/", "c/", "d/"]) target.unread.add(ref);
      const isGone = (ref: string) => (ref.endsWith("/") ? ref !== "d/" : Number(ref) < missing);
      await target.apply(deleteMissing(target.known(), defaultDeletionPolicy, keptReaders, isGone));
      expect([...target.unread]).toEqual(["d/"]);
      expect([...target.documents.keys()]).toEqual(refs);
      expect(target.failures).toHaveLength(missing);
    }
  });
});

describe("deleteMissing in a source of parts", () => {
  const named = (part: string, count: number) => Array.from({ length: count }, (_, index) => `${part}/${index}`);
  const refs = [...named("DOCS", 400), ...named("OPS", 60), ...named("lunch", 10), "alone"];
  /** @returns what was left of a part, by its name */
  const left = (target: MemoryTarget, part: string) =>
    [...target.documents.keys()].filter((ref) => firstSegment(ref) === part).length;
  const run = async (
    target: MemoryTarget,
    gone: readonly string[],
    policy = defaultDeletionPolicy,
    partOf: (ref: string) => string | null = firstSegment,
  ) => {
    let settled: boolean | null = null;
    async function* stream() {
      settled = yield* deleteMissing(target.known(), policy, keptReaders, (ref) => gone.includes(ref), partOf);
    }
    await target.apply(stream());
    return settled;
  };

  it("holds a part back that vanished, though it is a small share of the source, and lets the others' deletions go", async () => {
    const target = targetWith(refs);
    const gone = [...named("OPS", 60), ...named("DOCS", 7), "alone"];
    for (let syncs = 0; syncs < 2; syncs += 1) {
      expect(await run(target, gone)).toBe(false);
      expect(["DOCS", "OPS", "lunch"].map((part) => left(target, part))).toEqual([393, 60, 10]);
      expect(target.documents.has("alone")).toBe(false);
      expect(target.failures).toMatchObject([{ ref: "", error: { details: { known: 60, missing: 60 } } }]);
      expect(missingRefsOf(target.failures[0]!.error).every((ref) => ref.startsWith("OPS/"))).toBe(true);
    }
    expect(await run(target, gone, { ...defaultDeletionPolicy, confirmed: true })).toBe(true);
    expect(target.documents.size).toBe(403);
    expect(await run(target, gone)).toBe(true);
    expect(target.failures).toEqual([]);
  });

  it("lets a small part go with the rest, and what a feed said is gone, whichever part it was in", async () => {
    const target = targetWith(refs);
    expect(await run(target, named("lunch", 10))).toBe(true);
    expect(await run(target, named("OPS", 60), defaultDeletionPolicy, () => null)).toBe(true);
    expect(target.documents.size).toBe(401);
  });

  it("keeps all where the source as a whole loses too much", async () => {
    const target = targetWith(refs);
    expect(await run(target, [...named("OPS", 60), ...named("DOCS", 70)])).toBe(false);
    expect(target.documents.size).toBe(471);
    expect(target.failures).toMatchObject([{ error: { details: { known: 471, missing: 130 } } }]);
  });

  it("counts no failure as a document of its part, and lets those that are over go", async () => {
    const target = targetWith(refs);
    for (let index = 0; index < 300; index += 1) target.unread.add(`OPS/locked/${index}/`);
    expect(await run(target, [...named("OPS", 60), "OPS/locked/0/"])).toBe(false);
    expect(target.failures).toMatchObject([{ error: { details: { known: 60, missing: 60 } } }]);
    expect([left(target, "OPS"), target.unread.size]).toEqual([60, 299]);
  });
});

describe("isIncluded", () => {
  it.each([
    ["a/b.md", [], [], true],
    ["a/b.md", ["*.md"], [], true],
    ["b.md", ["*.md"], [], true],
    ["a/b.txt", ["*.md"], [], false],
    ["a/b.md", ["/a/**"], [], true],
    ["a/b/c.md", ["a/**/*.md"], [], true],
    ["a/b.md", ["a/*.{md,txt}"], ["a/b.*"], false],
    ["a/größe 1.md", ["**/größe*"], [], true],
    ["private/.old/x.md", [], ["private/**"], false],
    ["private/.x.md", [], ["private/*"], false],
    ["a/.ssh/id.key", [], ["*.key"], false],
    ["a/.env", [], ["**/.env"], false],
    ["a/.env", [], [".env"], false],
    ["a/.git/x", [], ["**/{.git,.svn}/**"], false],
    ["a/../x", [], ["a/**"], false],
    ["a.b/c..d.md", ["a.b/c..d.md"], [], true],
    [".archive/a.pdf", ["**/*.pdf"], [], true],
    ["xenv", [], [".env"], true],
    ["/private/a.md", [], ["private/**"], false],
    ["//private/a.md", [], ["/private/**"], false],
  ])("holds %s against include %j and exclude %j", (path, include, exclude, expected) => {
    expect(isIncluded(path, { include, exclude })).toBe(expected);
  });
});
