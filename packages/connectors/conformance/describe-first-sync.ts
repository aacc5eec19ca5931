import type { Change } from "@anneal/core/connect/change";
import { expect, it } from "vitest";
import type { Kit } from "./kit.ts";
import { MemoryTarget } from "./memory-target.ts";

/** More than any connector lets pass between two checkpoints. */
const manyDocuments = 210;

const tellsTotal = (change: Change) => change.type === "checkpoint" && change.total !== null;

/** What a sync says on its way of how much there is: an estimate comes to the truth, and no count is far from it. */
function expectTotals({ changes }: MemoryTarget, count: number): void {
  const checkpoints = changes.flatMap((change) => (change.type === "checkpoint" ? [change] : [])).slice(0, -1);
  const told = checkpoints.flatMap(({ scanned, total }) => (total === null ? [] : [{ scanned, total }]));
  expect(told.length).toBeGreaterThan(0);
  for (const { scanned, total } of told) expect(total).toBeGreaterThanOrEqual(scanned);
  expect(told.at(-1)!.total).toBeGreaterThan(count / 2);
  expect(told.at(-1)!.total).toBeLessThan(count * 2);
}

/** Where a worker that dies has not stored what the checkpoint says, or has stored it and nothing since. */
function checkpointsToDieAt({ changes }: MemoryTarget): number[] {
  const checkpoints = changes.flatMap(({ type }, at) => (type === "checkpoint" ? [at] : []));
  // The last ends the run.
  expect(checkpoints.length).toBeGreaterThan(1);
  const middle = checkpoints[Math.floor((checkpoints.length - 1) / 2)]!;
  const first = changes.findIndex(tellsTotal);
  return [middle, first === -1 ? checkpoints[0]! : first];
}

/** A first sync is the longest: it is waited for, and what ends it is more than it lasts. */
export function describeFirstSync(kit: Kit): void {
  it("tells in a first sync of many pages about how many documents there are, and ends the same, reading nothing twice, when killed around a checkpoint", async () => {
    const { connector, put } = kit.hands();
    for (let index = 0; index < manyDocuments; index += 1) await put(`many/${index}.md`, `This is number ${index}.`);
    const count = manyDocuments + Object.keys(kit.corpus).length;
    const whole = await kit.sync(new MemoryTarget());
    expect(whole.documents.size).toBe(count);
    if (connector.uncounted === undefined) expectTotals(whole, count);

    const [middle, first] = checkpointsToDieAt(whole);
    for (const kill of [{ at: middle!, write: "lost" } as const, { at: first!, write: "done" } as const]) {
      const where = `killed at ${kill.at}, write ${kill.write}`;
      const target = await kit.sync(new MemoryTarget(), {}, kill);
      const read = new Set(target.documents.keys());
      await kit.sync(target);
      expect(target.held(), where).toEqual(whole.held());
      expect(
        target.opened.filter((ref) => read.has(ref)),
        where,
      ).toEqual([]);
      if (connector.uncounted === undefined && kill.write === "done") expectTotals(target, count);
    }
  });
}
