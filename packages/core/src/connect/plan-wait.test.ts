import { describe, expect, it } from "vitest";
import { AnnealError } from "../errors.ts";
import { maxIdleWaits, planRefusal, planWait } from "./plan-wait.ts";

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

describe("a content that is refused", () => {
  const first = { before: false, idleWaits: 0, advanced: false };
  const again = { before: true, idleWaits: 1, advanced: false };
  const refused = (details: Record<string, unknown>) =>
    new AnnealError("RATE_LIMITED", "Bucket asks to wait.", { action: "Wait.", details });
  const unexplained = refused({ retryAfterMs: 60_000, unexplained: true, code: "504" });

  it("without a word of when or why is waited for once, and is then the document's own failure", () => {
    expect(planRefusal(unexplained, first)).toBeNull();
    for (const idleWaits of [1, 2, maxIdleWaits])
      expect(planRefusal(unexplained, { ...again, idleWaits, advanced: true })).toMatchObject({
        code: "SOURCE_UNREACHABLE",
        message: "It is refused without a reason, also after a wait: Bucket asks to wait.",
        details: { code: "504" },
      });
  });

  it("is waited for again where the sync got on, and not where two waits in a row brought nothing", () => {
    expect(planRefusal(unexplained, { ...first, idleWaits: 1 })).toBeNull();
    expect(planRefusal(unexplained, { ...first, idleWaits: 2, advanced: true })).toBeNull();
    expect(planRefusal(unexplained, { ...first, idleWaits: 2 })).toMatchObject({ code: "SOURCE_UNREACHABLE" });
  });

  it("with a time or a reason is the source's wish, however often it comes", () => {
    for (const told of [refused({ retryAfterMs: 60_000 }), refused({}), throttled(5)])
      expect(planRefusal(told, { before: true, idleWaits: maxIdleWaits, advanced: false })).toBeNull();
  });
});
