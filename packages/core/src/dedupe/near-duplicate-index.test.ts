import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AnnealError } from "../errors.ts";
import type { DuplicateDecision } from "./distinct-text.ts";
import { hashText } from "./hash-text.ts";
import { NearDuplicateIndex, type IndexedText } from "./near-duplicate-index.ts";
import { compareOrder } from "./order.ts";
import { dedupePolicySchema, defaultDedupePolicy } from "./policy.ts";
import { jaccard, shingle } from "./shingles.ts";
import { mutateWords, randomWords, seededRandom } from "./test-corpus.ts";

const shingles = (text: string) => shingle(text, { words: 5, seed: defaultDedupePolicy.seed });

/** The rule itself, by comparing all with all. */
function decideByBruteForce(documents: readonly IndexedText[]): Map<string, DuplicateDecision> {
  const decisions = new Map<string, DuplicateDecision>();
  const kept: IndexedText[] = [];
  for (const document of documents.toSorted(compareOrder)) {
    const firstCopy = documents.filter(({ text }) => hashText(text) === hashText(document.text)).sort(compareOrder)[0];
    const sets = shingles(document.text);
    const keeper = kept.find(
      ({ text }) => jaccard(shingles(text), sets) >= 0.8 && hashText(text) !== hashText(document.text),
    );
    if (keeper) {
      const similarity = jaccard(shingles(keeper.text), sets);
      decisions.set(document.id, {
        status: "duplicate",
        code: "NEAR_DUPLICATE",
        duplicateOf: keeper.id,
        similarity,
      });
    } else if (firstCopy && firstCopy.id !== document.id) {
      decisions.set(document.id, {
        status: "duplicate",
        code: "EXACT_DUPLICATE",
        duplicateOf: firstCopy.id,
        similarity: 1,
      });
    } else {
      kept.push(document);
      decisions.set(document.id, { status: "kept" });
    }
  }
  return decisions;
}

/** Documents of a few families, near enough to each other that chains A ~ B ~ C with A unlike C occur. */
const corpus = fc.tuple(fc.integer(), fc.integer({ min: 2, max: 14 })).map(([seed, size]) => {
  const random = seededRandom(seed);
  const families = [randomWords(random, 60), randomWords(random, 80)];
  return Array.from({ length: size }, (_, i): IndexedText => {
    const family = families[i % 2] ?? [];
    // A window that slides over the family's text: neighbours overlap, the ends do not.
    const from = Math.floor(random() * 5) * 3;
    return {
      id: `d${i}`,
      firstSeenAtMs: Math.floor(random() * 8),
      text: family.slice(from, from + 45).join(" "),
    };
  });
});

describe("NearDuplicateIndex", () => {
  it("decides as comparing all with all does, whatever the sequence of arrivals, removals and changes", async () => {
    const steps = corpus.chain((documents) =>
      fc.tuple(
        fc.constant(documents),
        fc.array(
          fc.record({
            at: fc.nat(documents.length - 1),
            gone: fc.boolean(),
            like: fc.nat(documents.length - 1),
          }),
          {
            maxLength: 40,
            size: "max",
          },
        ),
      ),
    );
    await fc.assert(
      fc.asyncProperty(steps, async ([documents, operations]) => {
        const index = new NearDuplicateIndex();
        const present = new Map<string, IndexedText>();
        const told = new Map<string, DuplicateDecision>();
        for (const { at, gone, like } of operations) {
          const document = documents[at];
          const other = documents[like];
          if (!document || !other) continue;
          // Now and then a document's text becomes that of another.
          const added = at % 3 === 0 ? { ...document, text: other.text } : document;
          if (gone) present.delete(document.id);
          else present.set(document.id, added);
          const changes = gone ? await index.remove(document.id) : await index.add(added);
          if (gone) told.delete(document.id);
          for (const [id, decision] of changes) told.set(id, decision);

          const expected = decideByBruteForce([...present.values()]);
          expect(new Map([...present.keys()].map((id) => [id, index.decisionOf(id)]))).toEqual(expected);
          // Whoever follows the reported changes has the whole truth.
          expect(new Map([...told].sort())).toEqual(new Map([...expected].sort()));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("goes on from stored signatures as if it had never stopped", async () => {
    await fc.assert(
      fc.asyncProperty(corpus, fc.nat(13), async (documents, cut) => {
        const uninterrupted = new NearDuplicateIndex();
        for (const document of documents) await uninterrupted.add(document);

        const texts = new Map(documents.map(({ id, text }) => [id, text]));
        const loadText = async (id: string) => texts.get(id) ?? "";
        const before = documents.slice(0, cut);
        const first = new NearDuplicateIndex(defaultDedupePolicy, { loadText });
        for (const document of before) await first.add(document);
        const second = new NearDuplicateIndex(defaultDedupePolicy, { loadText });
        const changes = await second.restore(
          before.map(({ id, firstSeenAtMs }) => ({
            id,
            firstSeenAtMs,
            signature: first.exportSignature(id),
            decision: first.decisionOf(id),
          })),
        );
        expect(changes.size).toBe(0);
        for (const document of documents.slice(cut)) await second.add(document);
        for (const { id } of documents) expect(second.decisionOf(id)).toEqual(uninterrupted.decisionOf(id));
      }),
      { numRuns: 60 },
    );
  });

  const text = randomWords(seededRandom(1), 200).join(" ");
  const variant = mutateWords(text.split(" "), 0.01, seededRandom(2)).join(" ");

  it("promotes the next earliest copy when the kept document is deleted at its source", async () => {
    const index = new NearDuplicateIndex();
    await index.add({ id: "a", firstSeenAtMs: 1, text });
    await index.add({ id: "b", firstSeenAtMs: 2, text: variant });
    await index.add({ id: "c", firstSeenAtMs: 3, text });
    const changes = await index.remove("a");
    expect(changes.get("b")).toEqual({ status: "kept" });
    expect(changes.get("c")).toMatchObject({ code: "NEAR_DUPLICATE", duplicateOf: "b" });
  });

  it("hands the place over to an earlier-dated document that arrives late, and says so", async () => {
    const index = new NearDuplicateIndex();
    await index.add({ id: "b", firstSeenAtMs: 2, text });
    const changes = await index.add({ id: "a", firstSeenAtMs: 1, text: variant });
    expect(changes.get("a")).toEqual({ status: "kept" });
    expect(changes.get("b")).toMatchObject({ code: "NEAR_DUPLICATE", duplicateOf: "a" });
  });

  it("never calls two texts near-duplicates because both are empty", async () => {
    const index = new NearDuplicateIndex();
    await index.add({ id: "a", firstSeenAtMs: 1, text: "!" });
    await index.add({ id: "b", firstSeenAtMs: 2, text: "?" });
    expect(index.decisionOf("b")).toEqual({ status: "kept" });
  });

  it("refuses signatures that were made with other settings or are damaged", async () => {
    const index = new NearDuplicateIndex();
    await index.add({ id: "a", firstSeenAtMs: 1, text });
    const signature = index.exportSignature("a");
    const other = new NearDuplicateIndex(dedupePolicySchema.parse({ shingleWords: 4 }));
    const restore = (bytes: Uint8Array, into: NearDuplicateIndex) =>
      into.restore([{ id: "a", firstSeenAtMs: 1, signature: bytes }]).catch((error: unknown) => error);
    const conflict = await restore(signature, other);
    expect(conflict instanceof AnnealError && conflict.code).toBe("CONFLICT");
    const damaged = await restore(signature.slice(0, 100), new NearDuplicateIndex());
    expect(damaged instanceof AnnealError && damaged.code).toBe("INVALID_INPUT");
  });

  it("compares thousands of variants of one template with the kept one only", async () => {
    const loads: string[] = [];
    const random = seededRandom(9);
    const texts = new Map<string, string>();
    const index = new NearDuplicateIndex(defaultDedupePolicy, {
      loadText: async (id) => {
        loads.push(id);
        return texts.get(id) ?? "";
      },
    });
    for (let i = 0; i < 2000; i++) {
      const words = text.split(" ");
      words[0] = `n${i}`;
      words[199] = `n${Math.floor(random() * 1e9)}`;
      texts.set(`v${i}`, words.join(" "));
      await index.add({ id: `v${i}`, firstSeenAtMs: i, text: words.join(" ") });
    }
    expect(index.decisionOf("v1999")).toMatchObject({ code: "NEAR_DUPLICATE", duplicateOf: "v0" });
    expect(loads).toHaveLength(1999);
  });
});
