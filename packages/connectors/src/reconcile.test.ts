import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultDeletionPolicy, missingRefsOf } from "@anneal/core/connect/deletion-policy";
import { MemoryTarget } from "../conformance/memory-target.ts";
import { isIncluded } from "./path-filter.ts";
import { deleteMissing } from "./reconcile.ts";
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
        await target.apply(deleteMissing(target.known(), policy, (ref) => !listed.includes(ref)));
        expect([...target.documents.keys()].sort()).toEqual(known.filter((ref) => listed.includes(ref)).sort());
      }),
    );
  });

  it("deletes nothing at all when the share is too large", async () => {
    const target = targetWith(Array.from({ length: 100 }, (_, index) => `${index}`));
    await target.apply(deleteMissing(target.known(), defaultDeletionPolicy, (ref) => Number(ref) < 21));
    expect(target.documents.size).toBe(100);
    expect(target.failures[0]?.error).toMatchObject({ code: "CONFLICT", details: { known: 100, missing: 21 } });
  });

  it("names the first of the documents that would go, and no failure that is over", async () => {
    const refs = Array.from({ length: 30 }, (_, index) => `docs/${String(index).padStart(2, "0")}`);
    const target = targetWith(["a/kept", ...refs]);
    target.unread.add("a/never read");
    await target.apply(deleteMissing(target.known(), defaultDeletionPolicy, (ref) => ref !== "a/kept"));
    expect(missingRefsOf(target.failures[0]!.error)).toEqual(refs.slice(0, 20));
    const few = targetWith(["one", "two"]);
    await few.apply(deleteMissing(few.known(), defaultDeletionPolicy, (ref) => ref === "two"));
    expect(missingRefsOf(few.failures[0]!.error)).toEqual(["two"]);
  });

  it("counts no failure as a document that is still there", async () => {
    const target = targetWith(Array.from({ length: 25 }, (_, index) => `docs/${index}`));
    for (let index = 0; index < 100; index += 1) target.unread.add(`home/${index}/`);
    const isGone = (ref: string) => ref.startsWith("docs/");
    await target.apply(deleteMissing(target.known(), defaultDeletionPolicy, isGone));
    expect(target.documents.size).toBe(25);
    expect(target.failures[0]?.error).toMatchObject({ code: "CONFLICT", details: { known: 25, missing: 25 } });
  });

  it("lets go of failures that are over without a word, also where documents wait for one", async () => {
    const refs = Array.from({ length: 4 }, (_, index) => `${index}`);
    for (const missing of [0, 1]) {
      const target = targetWith(refs);
      for (const ref of ["a/", "b/", "c/", "d/"]) target.unread.add(ref);
      const isGone = (ref: string) => (ref.endsWith("/") ? ref !== "d/" : Number(ref) < missing);
      await target.apply(deleteMissing(target.known(), defaultDeletionPolicy, isGone));
      expect([...target.unread]).toEqual(["d/"]);
      expect([...target.documents.keys()]).toEqual(refs);
      expect(target.failures).toHaveLength(missing);
    }
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
  ])("holds %s against include %j and exclude %j", (path, include, exclude, expected) => {
    expect(isIncluded(path, { include, exclude })).toBe(expected);
  });
});
