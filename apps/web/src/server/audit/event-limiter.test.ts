import { expect, it } from "vitest";
import { createEventLimiter } from "./event-limiter.ts";

const limits = { perKey: 2, perWorkspace: 3, windowMs: 60_000 };

it("records a few events of one key in a window and counts the others, which are told once when it has ended", () => {
  const limiter = createEventLimiter(limits);
  const admitted = [0, 1, 2, 3].map((atMs) => limiter.admit("w", ["ada"], atMs));
  expect(admitted).toEqual([true, true, false, false]);
  expect(limiter.drain(59_999)).toEqual([]);
  expect(limiter.drain(60_000)).toEqual([{ workspaceId: "w", count: 2 }]);
  expect(limiter.drain(60_001)).toEqual([]);
  expect(limiter.admit("w", ["ada"], 60_001)).toBe(true);
});

it("records no more than a workspace's share, however many keys are tried, and leaves other workspaces theirs", () => {
  const limiter = createEventLimiter(limits);
  const admitted = ["a", "b", "c", "d"].map((key) => limiter.admit("w", [key], 0));
  expect(admitted).toEqual([true, true, true, false]);
  expect(limiter.admit("other", ["d"], 0)).toBe(true);
});

it("limits by each of the keys", () => {
  const limiter = createEventLimiter({ ...limits, perWorkspace: 10 });
  const admitted = ["a", "b", "c"].map((key) => limiter.admit("w", [key, "one client"], 0));
  expect(admitted).toEqual([true, true, false]);
});
