import { describe, expect, it } from "vitest";
import { AnnealError } from "../errors.ts";
import { maxIdleWaits, planWait } from "./plan-wait.ts";

const throttled = (retryAfterMs?: number) =>
  new AnnealError("RATE_LIMITED", "It has had too many requests.", {
    action: "Wait.",
    details: retryAfterMs === undefined ? {} : { retryAfterMs },
  });
const after = (error: AnnealError, idleWaits: number, advanced = false) =>
  planWait("Wiki", error, { idleWaits, advanced });

describe("a source that makes a sync wait", () => {
  it("is left alone for as long as it asks for, and for ever again while the sync gets on between", () => {
    for (const idleWaits of [0, 1, maxIdleWaits])
      expect(after(throttled(90_000), idleWaits, true)).toEqual({ wait: { waitMs: 90_000, idleWaits: 1 } });
  });

  it("is left alone for twice as long each time that nothing came of it, a day at most", () => {
    const waits = [0, 1, 2, 3, 4, 5].map((idleWaits) => after(throttled(3_600_000), idleWaits));
    expect(waits.map((plan) => ("wait" in plan ? plan.wait.waitMs / 3_600_000 : null))).toEqual([1, 2, 4, 8, 16, 24]);
  });

  it("is given up after six waits in a row that brought nothing, in its own words", () => {
    expect(after(throttled(1000), maxIdleWaits)).toEqual({
      giveUp: {
        code: "RATE_LIMITED",
        message:
          "“Wiki” made the sync wait 6 times in a row and let nothing be read between: It has had too many requests.",
        action: expect.stringContaining("limit raised"),
        details: { retryAfterMs: 1000 },
      },
    });
  });

  it.each([[undefined], [0], [-5]])("that says %s of how long is asked again after 15 seconds", (retryAfterMs) => {
    expect(after(throttled(retryAfterMs), 0)).toEqual({ wait: { waitMs: 15_000, idleWaits: 1 } });
  });
});
