import type { Change } from "@anneal/core/connect/change";
import { expect, it } from "vitest";
import type { Kit } from "./kit.ts";
import { manyDocuments, putMany } from "./many-documents.ts";
import { MemoryTarget } from "./memory-target.ts";

type Told = { scanned: number; total: number };

/** What the last sync said on its way of how much there is. */
function toldOf({ changes }: MemoryTarget): Told[] {
  const checkpoints = changes.flatMap((change) => (change.type === "checkpoint" ? [change] : [])).slice(0, -1);
  return checkpoints.flatMap(({ scanned, total }) => (total === null ? [] : [{ scanned, total }]));
}

const tells = (change: Change) => change.type === "checkpoint" && change.total !== null;

/** Whoever waits for a first sync is told how long it takes, which only the source can say. */
export function describeProgress(kit: Kit): void {
  it("tells in a first sync, before its end and also when resumed, about how many documents there are", async (test) => {
    const { connector } = kit.hands();
    if (connector.uncounted !== undefined) return test.skip(connector.uncounted);
    await putMany(kit);
    const count = manyDocuments + Object.keys(kit.corpus).length;
    const whole = await kit.sync(new MemoryTarget());
    expect(whole.documents.size).toBe(count);
    const told = toldOf(whole);
    expect(told.length).toBeGreaterThan(0);
    for (const { scanned, total } of told) expect(total).toBeGreaterThanOrEqual(scanned);
    // An estimate comes to the truth as the sync goes on, and no count is far from it.
    expect(told.at(-1)!.total).toBeGreaterThan(count / 2);
    expect(told.at(-1)!.total).toBeLessThan(count * 2);

    const resumed = await kit.sync(new MemoryTarget(), {}, { at: whole.changes.findIndex(tells), write: "done" });
    await kit.sync(resumed);
    expect(resumed.documents.size).toBe(count);
    expect(toldOf(resumed).length).toBeGreaterThan(0);
    for (const { scanned, total } of toldOf(resumed)) expect(total).toBeGreaterThanOrEqual(scanned);
  });
}
