import { describe, expect, it } from "vitest";
import { workspaceMembers, workspaceUser, type Acl } from "../access/acl.ts";
import type { Element } from "../document/element.ts";
import { dedupePassages } from "./dedupe-passages.ts";
import { planDedupe } from "./plan-dedupe.ts";
import { mutateWords, randomWords, seededRandom } from "./test-corpus.ts";

const everyone: Acl = { allow: [workspaceMembers("w")], deny: [] };
const anna: Acl = { allow: [workspaceUser("w", "anna")], deny: [] };
const everyoneButAnna: Acl = { allow: [workspaceMembers("w")], deny: [workspaceUser("w", "anna")] };
const text = randomWords(seededRandom(4), 300).join(" ");
const variant = mutateWords(text.split(" "), 0.01, seededRandom(5)).join(" ");
const unrelated = randomWords(seededRandom(6), 300).join(" ");

const document = (id: string, firstSeenAtMs: number, acl: Acl | null, body: string, sourceId = "source") => ({
  id,
  sourceId,
  firstSeenAtMs,
  acl,
  text: body,
  ref: `handbook/${id}.md`,
});

describe("planDedupe", () => {
  it("keeps the earliest copy and says of every other which it repeats and how closely", async () => {
    const plan = await planDedupe([
      document("c", 3, everyone, text),
      document("b", 2, everyone, variant),
      document("a", 1, everyone, text),
      document("z", 9, everyone, unrelated),
    ]);
    expect(plan.kept).toEqual(["a", "z"]);
    expect(plan.counts).toEqual({ documents: 4, kept: 2, exact: 1, near: 1 });
    expect(plan.duplicates.map(({ id, code, duplicateOf }) => [id, code, duplicateOf])).toEqual([
      ["b", "NEAR_DUPLICATE", "a"],
      ["c", "EXACT_DUPLICATE", "a"],
    ]);
    expect(plan.duplicates[0]?.reason).toMatch(/^The text has a similarity of 0\.\d\d \(limit 0\.80\) to that of /);
    expect(plan.duplicates[1]?.reason).toMatch(/^The text is the same as that of /);
    // Whoever reads the copy may lose the other one.
    for (const { reason } of plan.duplicates) expect(reason).not.toContain("handbook");
    expect(plan.clusters).toEqual([
      {
        kept: "a",
        duplicates: [
          { id: "b", similarity: plan.duplicates[0]?.similarity },
          { id: "c", similarity: 1 },
        ],
      },
    ]);
  });

  it("gives the same plan whatever the order of its input", async () => {
    const documents = [text, variant, unrelated, text].map((body, i) => document(`d${i}`, 7, everyone, body));
    expect(await planDedupe(documents.toReversed())).toEqual(await planDedupe(documents));
  });

  it("never hides a document from retrieval behind one with other readers", async () => {
    for (const [keptAcl, copyAcl] of [
      [anna, everyone],
      [everyone, anna],
      [everyone, everyoneButAnna],
      [null, everyone],
    ] as const) {
      const plan = await planDedupe([document("a", 1, keptAcl, text), document("b", 2, copyAcl, text)]);
      expect(plan.duplicates[0]).toMatchObject({
        duplicateOf: "a",
        sameAudience: false,
        hiddenIn: [],
      });
      expect(plan.duplicates[0]?.reason).not.toContain("handbook");
    }
  });

  it("hides a further copy behind the first one that the same people can read", async () => {
    const plan = await planDedupe([
      document("a", 1, anna, text),
      document("b", 2, everyone, variant),
      document("c", 3, everyone, text),
      document("d", 4, anna, text),
    ]);
    expect(plan.duplicates.map(({ id, hiddenIn }) => [id, hiddenIn])).toEqual([
      ["b", []],
      ["c", ["source"]],
      ["d", ["source"]],
    ]);
  });

  it("leaves a copy out of a search only where that search finds an earlier one", async () => {
    const documents = [
      document("a", 1, everyone, text, "wiki"),
      document("b", 2, everyone, variant, "mail"),
      document("c", 3, everyone, text, "mail"),
      document("d", 4, everyone, text, "files"),
      document("e", 5, anna, text, "files"),
      document("f", 6, anna, text, "mail"),
    ];
    const plan = await planDedupe(documents);
    const hiddenIn = new Map(plan.duplicates.map((duplicate) => [duplicate.id, duplicate.hiddenIn]));
    const found = (...sources: string[]) =>
      documents
        .filter(({ id, sourceId }) => {
          const hidden = hiddenIn.get(id) ?? [];
          return sources.includes(sourceId) && !hidden.some((source) => sources.includes(source));
        })
        .map(({ id }) => id);
    expect(found("wiki")).toEqual(["a"]);
    expect(found("mail")).toEqual(["b", "f"]);
    expect(found("files")).toEqual(["d", "e"]);
    expect(found("mail", "files")).toEqual(["b", "e"]);
    expect(found("wiki", "mail", "files")).toEqual(["a", "e"]);
  });
});

describe("dedupePassages", () => {
  const footer =
    "This message is confidential and intended solely for the addressee; if you received it in error please delete it and tell the sender at once.";
  const paragraph = (body: string): Pick<Element, "kind" | "text"> => ({
    kind: "paragraph",
    text: body,
  });

  it("reports a legal footer in every document but the earliest, with the place where it first stands", async () => {
    const found = await dedupePassages([
      {
        id: "late",
        firstSeenAtMs: 2,
        acl: everyone,
        elements: [paragraph(unrelated), paragraph(footer)],
      },
      {
        id: "early",
        firstSeenAtMs: 1,
        acl: everyone,
        elements: [paragraph(footer), paragraph(text)],
      },
      {
        id: "mine",
        firstSeenAtMs: 3,
        acl: anna,
        elements: [paragraph(footer.replace("delete it", "destroy it"))],
      },
    ]);
    expect([...found.keys()]).toEqual(["late"]);
    expect(found.get("late")).toEqual([
      {
        element: 1,
        duplicateOf: { documentId: "early", element: 0 },
        code: "EXACT_DUPLICATE",
        similarity: 1,
        sameAudience: true,
      },
    ]);
  });

  it("finds near copies, leaves headings and short passages alone, and names a different audience", async () => {
    const heading = { kind: "heading" as const, text };
    const found = await dedupePassages([
      {
        id: "a",
        firstSeenAtMs: 1,
        acl: everyone,
        elements: [paragraph(text), heading, paragraph("See above.")],
      },
      {
        id: "b",
        firstSeenAtMs: 1,
        acl: anna,
        elements: [paragraph("See above."), heading, paragraph(variant)],
      },
    ]);
    expect(found.size).toBe(1);
    expect(found.get("b")).toMatchObject([
      {
        element: 2,
        duplicateOf: { documentId: "a", element: 0 },
        code: "NEAR_DUPLICATE",
        sameAudience: false,
      },
    ]);
  });
});
