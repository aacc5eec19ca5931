import { expect, it } from "vitest";
import type { Kit } from "./kit.ts";
import { MemoryTarget } from "./memory-target.ts";

/** OneDrive takes 50 at most. */
const manyParts = 40;

const charsOf = (json: unknown) => JSON.stringify(json).length;

/** The chars of each cursor that the last sync stored, and of what it added to the journal. */
function storedBy({ changes }: MemoryTarget): { cursor: number; added: number }[] {
  return changes.flatMap((change) =>
    change.type === "checkpoint" ? [{ cursor: charsOf(change.cursor), added: charsOf(change.journal ?? null) }] : [],
  );
}

/** A checkpoint is written again and again: what it stores is bounded, however large the source is. */
export function describeCheckpoints(kit: Kit): void {
  it("stores as little at each checkpoint of many drives, channels or tables as of one", async (test) => {
    const { addParts } = kit.hands();
    if (addParts === undefined)
      return test.skip(
        "Its position has nothing for each part of the source, or what another harness of its kind shows.",
      );
    const [one] = storedBy(await kit.sync(new MemoryTarget())).slice(-1);
    await addParts(manyParts);
    const whole = await kit.sync(new MemoryTarget());
    expect(whole.documents.size).toBe(Object.keys(kit.corpus).length + manyParts);
    for (const { cursor } of storedBy(whole)) expect(cursor).toBeLessThan(one!.cursor + 100);

    const at = whole.changes.map(({ type }) => type).indexOf("checkpoint", Math.floor(whole.changes.length / 2));
    const resumed = await kit.sync(new MemoryTarget(), {}, { at, write: "done" });
    await kit.sync(resumed);
    expect(resumed.held()).toEqual(whole.held());
    await kit.sync(whole);
    expect(kit.changesOf(whole)).toEqual([]);
    // Nothing has moved, but for what the service counts on by itself.
    for (const { added } of storedBy(whole)) expect(added).toBeLessThan(2048);
  });
}
