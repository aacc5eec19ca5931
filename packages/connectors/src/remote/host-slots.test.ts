import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { inHostSlot } from "./host-slots.ts";

const never = new AbortController().signal;

/** Work that goes on until it is told to end, and how much of it is under way. */
function createWork() {
  const open: (() => void)[] = [];
  return {
    open,
    work: () => new Promise<void>((resolve) => open.push(resolve)),
  };
}

it("lets no more in at once than a host takes, and the next one in when one leaves", async () => {
  const { open, work } = createWork();
  const all = Array.from({ length: 5 }, () => inHostSlot("archive.example", 2, never, work));
  await nextTurn();
  expect(open.length).toBe(2);
  open[0]!();
  await nextTurn();
  expect(open.length).toBe(3);
  while (open.length < 5) {
    open.forEach((end) => end());
    await nextTurn();
  }
  open.forEach((end) => end());
  await Promise.all(all);
});

it("keeps a host waiting for no other, nor for work that failed", async () => {
  const { open, work } = createWork();
  const held = inHostSlot("slow.example", 1, never, work);
  await expect(inHostSlot("quick.example", 1, never, async () => "done")).resolves.toBe("done");
  const broken = inHostSlot("quick.example", 1, never, () => Promise.reject(new Error("broken")));
  await expect(broken).rejects.toThrow("broken");
  await expect(inHostSlot("quick.example", 1, never, async () => "done")).resolves.toBe("done");
  open[0]!();
  await held;
});

it("ends the wait of who is cancelled, and gives the place that was waited for to the next", async () => {
  const { open, work } = createWork();
  const held = inHostSlot("archive.example", 1, never, work);
  const abort = new AbortController();
  const cancelled = inHostSlot("archive.example", 1, abort.signal, () => Promise.reject(new Error("was begun")));
  const next = inHostSlot("archive.example", 1, never, async () => "done");
  abort.abort(new Error("cancelled"));
  await expect(cancelled).rejects.toThrow("cancelled");
  open[0]!();
  await held;
  await expect(next).resolves.toBe("done");
});

it("gives the place of who sleeps to the next, and lets the sleeper in again in its turn", async () => {
  const { open, work } = createWork();
  const slept = Promise.withResolvers<void>();
  const sleeper = inHostSlot("archive.example", 1, never, async (withoutSlot) => {
    await withoutSlot(() => slept.promise);
    return work();
  });
  const other = inHostSlot("archive.example", 1, never, work);
  await nextTurn();
  expect(open.length).toBe(1);
  slept.resolve();
  await nextTurn();
  expect(open.length).toBe(1);
  open[0]!();
  await other;
  await nextTurn();
  expect(open.length).toBe(2);
  open[1]!();
  await sleeper;
});

it("holds no place after a sleep that failed", async () => {
  const asleep = inHostSlot("archive.example", 1, never, (withoutSlot) =>
    withoutSlot(() => Promise.reject(new Error("cancelled"))),
  );
  await expect(asleep).rejects.toThrow("cancelled");
  await expect(inHostSlot("archive.example", 1, never, async () => "done")).resolves.toBe("done");
});

it("holds no place for a sleep that outlasts its work", async () => {
  const slept = Promise.withResolvers<void>();
  let waking = Promise.resolve();
  const broken = inHostSlot("archive.example", 1, never, (withoutSlot) => {
    waking = withoutSlot(() => slept.promise);
    return Promise.reject(new Error("the connection was closed"));
  });
  await expect(broken).rejects.toThrow("closed");
  slept.resolve();
  await waking;
  await expect(inHostSlot("archive.example", 1, never, async () => "done")).resolves.toBe("done");
});
