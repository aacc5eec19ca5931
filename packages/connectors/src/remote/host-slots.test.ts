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
