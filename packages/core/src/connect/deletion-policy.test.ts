import { describe, expect, it } from "vitest";
import {
  defaultDeletionPolicy,
  missingRefsOf,
  refuseDeletions,
  withMissingRefs,
  withoutMissingRefs,
  wordUnnamed,
} from "./deletion-policy.ts";

describe("refuseDeletions", () => {
  it("asks about the share of a small source as well: one that was emptied is not a handful of edits", () => {
    expect(refuseDeletions(defaultDeletionPolicy, 12, 2)).toBeNull();
    expect(refuseDeletions(defaultDeletionPolicy, 12, 3)?.code).toBe("CONFLICT");
    expect(refuseDeletions(defaultDeletionPolicy, 1, 1)?.code).toBe("CONFLICT");
  });

  it("lets all or nothing go unasked where somebody wants it so", () => {
    expect(refuseDeletions({ ...defaultDeletionPolicy, maxShare: 1 }, 3, 3)).toBeNull();
    expect(refuseDeletions({ ...defaultDeletionPolicy, maxShare: 0 }, 1000, 1)?.code).toBe("CONFLICT");
  });

  it("lets the configured share go and stops at one more", () => {
    expect(refuseDeletions(defaultDeletionPolicy, 1000, 200)).toBeNull();
    expect(refuseDeletions(defaultDeletionPolicy, 1000, 201)?.code).toBe("CONFLICT");
  });

  it("lets everything go once a person has confirmed", () => {
    expect(refuseDeletions({ ...defaultDeletionPolicy, confirmed: true }, 1000, 1000)).toBeNull();
  });
});

it("takes the refs out of a report again, and knows none in what an earlier release wrote", () => {
  const refused = refuseDeletions(defaultDeletionPolicy, 2, 2)!;
  const named = withMissingRefs(refused, ["a", "b"]);
  expect(missingRefsOf(named)).toEqual(["a", "b"]);
  expect(withoutMissingRefs(named)).toEqual(refused);
  expect(missingRefsOf(refused)).toEqual([]);
});

it("says how many are not named, and why where that is not for want of room", () => {
  expect(wordUnnamed(1_220, 20)).toBe("and 1,200 more.");
  expect(wordUnnamed(12, 2)).toBe("and 10 more, beyond the first or of documents that you may not read.");
  expect(wordUnnamed(2, 2)).toBeNull();
});
