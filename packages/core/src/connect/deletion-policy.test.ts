import { describe, expect, it } from "vitest";
import {
  confirmationOf,
  defaultDeletionPolicy,
  isHeldBack,
  missingRefsOf,
  refuseDeletions,
  refuseParts,
  smallestJudgedPart,
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

  it("lets go what a person was told of when they confirmed, and asks again about much more", () => {
    const told = refuseDeletions(defaultDeletionPolicy, 1000, 300);
    const policy = { ...defaultDeletionPolicy, ...confirmationOf(true, told) };
    expect(refuseDeletions(policy, 1000, 300)).toBeNull();
    expect(refuseDeletions(policy, 1000, 500)).toBeNull();
    expect(refuseDeletions(policy, 1000, 501)).toMatchObject({ details: { missing: 501 } });
    expect(confirmationOf(false, told)).toEqual({ confirmed: false, told: 300 });
    const outage = { code: "SOURCE_UNREACHABLE" as const, message: "It is away.", action: "Wait." };
    for (const other of [null, outage]) expect(confirmationOf(true, other)).toEqual({ confirmed: true });
  });
});

describe("refuseParts", () => {
  const judge = (parts: Record<string, [missing: number, known: number]>, policy = defaultDeletionPolicy) =>
    refuseParts(
      policy,
      new Map(Object.entries(parts).map(([part, [missing, known]]) => [part, { known, missing }] as const)),
    );

  it("asks about a part that loses more than the share, and says which and how much", () => {
    const refused = judge({ OPS: [60, 60], HR: [20, 100], DOCS: [0, 1000] });
    expect([...refused!.parts]).toEqual(["OPS"]);
    expect(refused!.error).toMatchObject({ code: "CONFLICT", details: { known: 60, missing: 60 } });
    expect(refused!.error.message).toContain('60 of 60 in "OPS"');
    expect(isHeldBack(refused!.error)).toBe(true);
    expect([...judge({ HR: [21, 100] })!.parts]).toEqual(["HR"]);
    expect(judge({ HR: [20, 100] })).toBeNull();
  });

  it("lets a part go that is too small to be judged by itself", () => {
    const few = smallestJudgedPart - 1;
    expect(judge({ lunch: [few, few] })).toBeNull();
    expect(judge({ lunch: [few + 1, few + 1] })).not.toBeNull();
  });

  it("names the first of many parts, and counts all of them", () => {
    const { error, parts } = judge(Object.fromEntries(["A", "B", "C", "D", "E"].map((part) => [part, [50, 50]])))!;
    expect(error.message).toContain('in "C", others in 2 more');
    expect(error.details).toMatchObject({ known: 250, missing: 250 });
    expect(parts.size).toBe(5);
  });

  it("lets everything go once a person has confirmed, or where somebody wants it so", () => {
    expect(judge({ OPS: [60, 60] }, { ...defaultDeletionPolicy, confirmed: true })).toBeNull();
    expect(judge({ OPS: [60, 60] }, { ...defaultDeletionPolicy, maxShare: 1 })).toBeNull();
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
