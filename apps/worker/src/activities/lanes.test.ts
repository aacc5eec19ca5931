import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { createLanes } from "./lanes.ts";

/** Work that ends when it is told to, and says what runs. */
function createWork() {
  const running = new Set<string>();
  const ends = new Map<string, (error?: Error) => void>();
  const most = { atOnce: 0 };
  const begin = (name: string) => async () => {
    running.add(name);
    most.atOnce = Math.max(most.atOnce, running.size);
    try {
      await new Promise<void>((resolve, reject) => {
        ends.set(name, (error) => (error ? reject(error) : resolve()));
      });
    } finally {
      running.delete(name);
    }
  };
  return { running, most, begin, end: (name: string, error?: Error) => ends.get(name)!(error) };
}

it("runs up to its limit side by side, and no more", async () => {
  const { begin, end, running, most } = createWork();
  const lanes = createLanes(2);
  await lanes.run("a", begin("a"));
  let went = false;
  const second = lanes.run("b", begin("b")).then(() => (went = true));
  await turn();
  expect([...running]).toEqual(["a", "b"]);
  expect(went).toBe(false);
  end("a");
  await second;
  end("b");
  await lanes.settle();
  expect(running.size).toBe(0);
  expect(most.atOnce).toBe(2);
});

it("keeps to its limit when several ask at once", async () => {
  const { begin, end, most } = createWork();
  const lanes = createLanes(2);
  const names = ["a", "b", "c", "d", "e"];
  const asked = names.map((name) => lanes.run(name, begin(name)));
  for (const name of names) {
    await turn();
    end(name);
  }
  await Promise.all(asked);
  await lanes.settle();
  expect(most.atOnce).toBe(2);
});

it("with a limit of one, ends each before it comes back", async () => {
  const { begin, end, running } = createWork();
  const lanes = createLanes(1);
  const first = lanes.run("a", begin("a"));
  await turn();
  expect([...running]).toEqual(["a"]);
  end("a");
  await first;
  expect(running.size).toBe(0);
});

it("keeps what has the same key in order", async () => {
  const { begin, end, running } = createWork();
  const lanes = createLanes(8);
  await lanes.run("a", begin("first"));
  const second = lanes.run("a", begin("second"));
  await turn();
  expect([...running]).toEqual(["first"]);
  end("first");
  await second;
  expect([...running]).toEqual(["second"]);
  end("second");
  await lanes.settle();
});

it("throws what failed at the next step, and begins nothing after it", async () => {
  const { begin, end, running } = createWork();
  const lanes = createLanes(8);
  await lanes.run("a", begin("a"));
  await lanes.run("b", begin("b"));
  end("a", new Error("the disk is full"));
  await turn();
  await expect(lanes.run("c", begin("c"))).rejects.toThrow("the disk is full");
  expect([...running]).toEqual(["b"]);
  end("b");
  await expect(lanes.settle()).rejects.toThrow("the disk is full");
});
