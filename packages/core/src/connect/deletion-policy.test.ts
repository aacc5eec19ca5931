import { describe, expect, it } from "vitest";
import { defaultDeletionPolicy, refuseDeletions } from "./deletion-policy.ts";

describe("refuseDeletions", () => {
  it("lets a handful go whatever its share, so that a small source stays editable", () => {
    expect(refuseDeletions(defaultDeletionPolicy, 10, 10)).toBeNull();
  });

  it("lets none go unasked beyond the share where somebody wants it so", () => {
    expect(refuseDeletions({ ...defaultDeletionPolicy, freeCount: 0 }, 12, 2)).toBeNull();
    expect(refuseDeletions({ ...defaultDeletionPolicy, freeCount: 0 }, 12, 3)?.code).toBe("CONFLICT");
  });

  it("lets the configured share go and stops at one more", () => {
    expect(refuseDeletions(defaultDeletionPolicy, 1000, 200)).toBeNull();
    expect(refuseDeletions(defaultDeletionPolicy, 1000, 201)?.code).toBe("CONFLICT");
  });

  it("lets everything go once a person has confirmed", () => {
    expect(refuseDeletions({ ...defaultDeletionPolicy, confirmed: true }, 1000, 1000)).toBeNull();
  });
});
