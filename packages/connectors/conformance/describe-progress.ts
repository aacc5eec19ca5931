import { expect, it } from "vitest";
import type { Kit } from "./kit.ts";
import { MemoryTarget } from "./memory-target.ts";

/** More than any connector lets pass between two checkpoints. */
const manyDocuments = 210;

/** Whoever waits for a first sync is told how long it takes, which only the source can say. */
export function describeProgress(kit: Kit): void {
  it("tells in a first sync, before its end, about how many documents there are", async (test) => {
    const { put, connector } = kit.hands();
    if (connector.uncounted !== undefined) return test.skip(connector.uncounted);
    for (let index = 0; index < manyDocuments; index += 1) await put(`many/${index}.md`, `This is number ${index}.`);
    const target = await kit.sync(new MemoryTarget());
    const count = manyDocuments + Object.keys(kit.corpus).length;
    expect(target.documents.size).toBe(count);
    const checkpoints = target.changes.flatMap((change) => (change.type === "checkpoint" ? [change] : []));
    const told = checkpoints.slice(0, -1).flatMap(({ scanned, total }) => (total === null ? [] : [{ scanned, total }]));
    expect(told.length).toBeGreaterThan(0);
    for (const { scanned, total } of told) expect(total).toBeGreaterThanOrEqual(scanned);
    // An estimate comes to the truth as the sync goes on, and no count is far from it.
    expect(told.at(-1)!.total).toBeGreaterThan(count / 2);
    expect(told.at(-1)!.total).toBeLessThan(count * 2);
  });
}
