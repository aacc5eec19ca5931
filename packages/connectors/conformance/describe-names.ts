import { expect, it } from "vitest";
import type { Kit } from "./kit.ts";
import { MemoryTarget } from "./memory-target.ts";

/** What the names of a source's documents can be, beyond any script, which all take. */
export type SourceNames = {
  /** Control characters that a name may hold. */
  controls?: string;
  /** Of the greatest length that the source takes, by its own measure. */
  longest?: readonly string[];
};

const composed = "unicode/caf\u00e9.md";
const decomposed = "unicode/cafe\u0301.md";

/** Alike to the eye, turned around, invisible, outside the first plane of Unicode. */
const unusualNames = [
  composed,
  decomposed,
  "unicode/\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627.md",
  "unicode/\u202egnp.exe\u202c.md",
  "unicode/👩‍👩‍👧‍👦 🏳️‍🌈.md",
  "unicode/\u{20bb7}\u{1f9ea}.md",
  "unicode/zero\u200bwidth\u00a0space.md",
  "unicode/क्‍ष และ ខ្មែរ.md",
];

/** Every name is a document, told apart from each other one and found again under its own. */
export function describeNames(kit: Kit): void {
  const textOf = (index: number) => `Written in document number ${index + 1} of these.`;

  async function expectNames(names: readonly string[]): Promise<void> {
    const texts = Object.fromEntries(names.map((name, index) => [name, textOf(index)]));
    for (const [name, text] of Object.entries(texts)) await kit.hands().put(name, text);
    const target = await kit.sync(new MemoryTarget());
    expect(target.failures).toEqual([]);
    kit.expectDocuments(target, { ...kit.corpus, ...texts });
    await kit.sync(target);
    expect(kit.changesOf(target)).toEqual([]);

    const [first = "", ...others] = names;
    await kit.hands().put(first, "Written anew, and longer than it was before.");
    await kit.sync(target);
    expect(target.opened).toEqual([kit.hands().refOf(first)]);
    texts[first] = "Written anew, and longer than it was before.";
    kit.expectDocuments(target, { ...kit.corpus, ...texts });

    await kit.hands().remove(first);
    await kit.sync(target);
    kit.expectDocuments(target, { ...kit.corpus, ...Object.fromEntries(others.map((name) => [name, texts[name]!])) });
  }

  it("tells apart names that look alike, and takes every script and direction", async () => {
    expect(composed.normalize("NFD")).toBe(decomposed);
    await expectNames(unusualNames);
  });

  it("takes the control characters that the source allows in a name", async (test) => {
    const { controls = "" } = kit.hands().names ?? {};
    if (controls === "")
      return test.skip("The source allows no control characters in a name, or its names are no part of a ref.");
    await expectNames([...controls].map((character) => `unicode/before${character}after.md`));
  });

  it("reads a document whose name is as long as the source allows", async (test) => {
    const { longest = [] } = kit.hands().names ?? {};
    if (longest.length === 0) return test.skip("The source gives documents names of its own.");
    await expectNames(longest);
  });
}
