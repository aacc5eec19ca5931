import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createBatchWriter, type BatchLimits } from "./batch-writer.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const limits: BatchLimits = { maxEntries: 3, maxBytes: 100, maxWaitMs: 250 };

/** A writer of numbers, each as large as it says, whose writes the test ends. */
function createWriter(change: Partial<BatchLimits> = {}) {
  const batches: number[][] = [];
  const ends: ((error?: Error) => void)[] = [];
  const writer = createBatchWriter<number>(
    { ...limits, ...change },
    (entry) => entry,
    async (batch) => {
      batches.push(batch);
      await new Promise<void>((resolve, reject) => {
        ends.push((error) => (error ? reject(error) : resolve()));
      });
    },
  );
  return { writer, batches, end: (error?: Error) => ends.shift()!(error) };
}

/** Whether something comes back without anything else happening. */
async function isDone(work: Promise<unknown>): Promise<boolean> {
  let done = false;
  const mark = () => void (done = true);
  void work.then(mark, mark);
  await turn();
  return done;
}

it("writes a batch when it is whole, by number or by bytes, and collects the next one meanwhile", async () => {
  const { writer, batches, end } = createWriter();
  for (const entry of [1, 2, 3, 4, 5]) await writer.add(entry);
  expect(batches).toEqual([[1, 2, 3]]);
  end();
  await turn();
  expect(batches).toEqual([[1, 2, 3]]);
  await writer.add(95);
  expect(batches).toEqual([
    [1, 2, 3],
    [4, 5, 95],
  ]);
  end();
  await writer.add(100);
  await turn();
  expect(batches.at(-1)).toEqual([100]);
});

it("takes no more while one batch is written and another waits", async () => {
  const { writer, batches, end } = createWriter();
  for (let entry = 1; entry <= 6; entry += 1) await writer.add(entry);
  const seventh = writer.add(7);
  expect(await isDone(seventh)).toBe(false);
  end();
  expect(await isDone(seventh)).toBe(true);
  expect(batches).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ]);
});

it("lets no entry wait longer than it may for others to come", async () => {
  const { writer, batches } = createWriter();
  await writer.add(1);
  vi.advanceTimersByTime(249);
  expect(batches).toEqual([]);
  await writer.add(2);
  vi.advanceTimersByTime(1);
  expect(batches).toEqual([[1, 2]]);
});

it("settles only when all is written, what was being written before included", async () => {
  const { writer, batches, end } = createWriter();
  for (const entry of [1, 2, 3, 4]) await writer.add(entry);
  const settled = writer.settle();
  expect(await isDone(settled)).toBe(false);
  end();
  expect(await isDone(settled)).toBe(false);
  expect(batches).toEqual([[1, 2, 3], [4]]);
  end();
  expect(await isDone(settled)).toBe(true);
  expect(await isDone(createWriter().writer.settle())).toBe(true);
});

it("throws what a write failed with at every step after it, and writes no more", async () => {
  const { writer, batches, end } = createWriter();
  for (let entry = 1; entry <= 6; entry += 1) await writer.add(entry);
  const both = Promise.allSettled([writer.add(7), writer.settle()]);
  const failure = new Error("the disk is full");
  end(failure);
  expect(await both).toEqual([
    { status: "rejected", reason: failure },
    { status: "rejected", reason: failure },
  ]);
  await expect(writer.add(8)).rejects.toThrow("the disk is full");
  vi.advanceTimersByTime(1_000);
  await turn();
  expect(batches).toEqual([[1, 2, 3]]);
});
