import type { CheckStatus } from "@anneal/core/connect/capability-check";
import { describe, expect, it } from "vitest";
import { briefOf } from "#features/connect/check-brief.ts";

const nothing = { isPending: false, error: null, data: undefined, waits: null };
const found = (...statuses: CheckStatus[]) => ({
  ...nothing,
  data: {
    summary: "“shop” can be read and holds 2 tables.",
    checks: statuses.map((status) => ({ capability: "read", status, message: "2 tables." })),
  },
});
const refused = {
  ...nothing,
  error: { code: "SOURCE_CREDENTIALS" as const, message: "The password is wrong.", action: "Enter another.", id: null },
};

describe("the line beside the buttons of a source's form", () => {
  it("says that it is tried, and what came of it", () => {
    expect(briefOf({ ...nothing, isPending: true })).toEqual({ state: "trying", text: "Trying it …" });
    expect(briefOf(found("ok", "ok"))).toEqual({ state: "ok", text: "It can be read." });
    expect(briefOf(found("ok", "warning"))).toEqual({ state: "limited", text: "It can be read, with 1 limit." });
    expect(briefOf(found("warning", "missing"))).toMatchObject({ state: "failed" });
  });

  it("says what is wrong rather than what the next try waits for", () => {
    expect(briefOf({ ...refused, waits: "refused" })).toEqual({ state: "failed", text: "The password is wrong." });
  });

  it("says of what runs that it runs, whatever was found before", () => {
    expect(briefOf({ ...refused, isPending: true })?.state).toBe("trying");
  });

  it("says why it is not tried, and nothing of a form that nobody has touched", () => {
    for (const waits of ["incomplete", "refused", "spent", "moved"] as const)
      expect(briefOf({ ...nothing, waits })).toMatchObject({ state: "held" });
    expect(briefOf({ ...nothing, waits: "unchanged" })).toBeNull();
    expect(briefOf(nothing)).toBeNull();
  });
});
