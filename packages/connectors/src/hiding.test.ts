import { nobody, type Acl } from "@anneal/core/access/acl";
import { defaultDeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { describe, expect, it } from "vitest";
import { MemoryTarget } from "../conformance/memory-target.ts";
import { aclChange, withAcl } from "./acl-change.ts";
import { hideBelow, hidingOf, keptReaders } from "./hiding.ts";
import { rulesForAll } from "./reader-rules.ts";
import { deleteMissing, firstSegment } from "./reconcile.ts";

const ann: Acl = { allow: [{ source: "test", tenant: "", kind: "user", id: "ann" }], deny: [] };

function targetWith(refs: readonly string[]): MemoryTarget {
  const target = new MemoryTarget();
  for (const ref of refs) {
    const facts = { ref, uri: ref, title: null, mediaType: null, sizeBytes: null, modifiedAt: null };
    target.documents.set(ref, { item: { ...facts, fingerprint: withAcl(`of ${ref}`, ann), acl: ann }, text: "" });
  }
  return target;
}
const hidden = (target: MemoryTarget) =>
  [...target.documents.values()].filter(({ item }) => item.acl?.allow.length === 0).map(({ item }) => item.ref);
const named = (part: string, count: number) => Array.from({ length: count }, (_, index) => `${part}/${index}`);
const all = rulesForAll(true);

describe("what is held back", () => {
  it("is nobody's while it waits, and is said once", async () => {
    const target = targetWith(["a", "b", "c"]);
    const run = () =>
      target.apply(
        deleteMissing(target.known(), defaultDeletionPolicy, hidingOf(target.known(), all), (ref) => ref !== "a"),
      );
    await run();
    expect(target.changes.map(({ type }) => type)).toEqual(["acl", "acl", "failure"]);
    expect(hidden(target)).toEqual(["b", "c"]);
    expect(target.failures).toMatchObject([
      { error: { message: expect.stringContaining("Meanwhile nobody sees them"), details: { heldBack: true } } },
    ]);
    await run();
    expect(target.changes.map(({ type }) => type)).toEqual(["failure"]);
    expect(target.failures[0]?.error.details).toMatchObject({ hidden: true, missingRefs: ["b", "c"] });
  });

  it("differs from what it was in its readers alone, which come back when it is met again", async () => {
    const target = targetWith(["a", "b"]);
    await target.apply(
      deleteMissing(target.known(), defaultDeletionPolicy, hidingOf(target.known(), all), (ref) => ref === "b"),
    );
    const before = await target.known().fingerprintOf("b");
    expect(aclChange("b", before, ann)).toEqual({ type: "acl", ref: "b", acl: ann, fingerprint: withAcl("of b", ann) });
  });

  it("is the part alone that is held, and not what is deleted", async () => {
    const target = targetWith([...named("DOCS", 400), ...named("OPS", 60)]);
    const gone = new Set([...named("OPS", 60), ...named("DOCS", 2)]);
    const hiding = hidingOf(target.known(), all);
    await target.apply(
      deleteMissing(target.known(), defaultDeletionPolicy, hiding, (ref) => gone.has(ref), firstSegment),
    );
    expect(hidden(target).sort()).toEqual(named("OPS", 60).sort());
    expect(target.documents.size).toBe(458);
  });

  it("keeps its readers where documents bring none, and says nothing of it", async () => {
    const target = targetWith(["rows/1", "rows/2", "open/1"]);
    const own = hidingOf(target.known(), new Map([["rows/", true]]));
    await target.apply(deleteMissing(target.known(), defaultDeletionPolicy, own, (ref) => ref !== "rows/1"));
    expect(hidden(target)).toEqual(["rows/2"]);
    const kept = targetWith(["a", "b"]);
    await kept.apply(deleteMissing(kept.known(), defaultDeletionPolicy, keptReaders, () => true));
    expect(hidden(kept)).toEqual([]);
    expect(kept.failures[0]?.error.message).not.toContain("nobody sees");
  });
});

describe("hideBelow", () => {
  it("hides what lies in a place, but neither the failure that stands for it nor what lies beside it", async () => {
    const target = targetWith(["hr/a", "hr/deep/b", "hr-open/c"]);
    target.unread.add("hr/");
    await target.apply(hideBelow(target.known(), ["hr/"], hidingOf(target.known(), all)));
    expect(target.changes).toMatchObject([
      { type: "acl", ref: "hr/a", acl: nobody },
      { type: "acl", ref: "hr/deep/b", acl: nobody },
    ]);
  });
});
