import { describe, expect, it } from "vitest";
import { isWaiting, planPoll, waitFor } from "./sign-in-state.ts";

const begun = new Date("2026-11-28T10:00:00.000Z");
const later = (seconds: number) => new Date(begun.getTime() + seconds * 1000);
const waiting = waitFor({ deviceCode: "secret", intervalMs: 5000 }, later(900), begun);

describe("a sign-in that is waited for", () => {
  it("is told from the credentials that it brings", () => {
    expect(isWaiting(waiting)).toBe(true);
    expect(isWaiting({ refreshToken: "r", account: "ann" })).toBe(false);
  });

  it("is asked about once an interval, and not past its end", () => {
    expect(planPoll(waiting, later(0))).toEqual({ type: "wait", retryInMs: 5000 });
    expect(planPoll(waiting, later(4))).toEqual({ type: "wait", retryInMs: 1000 });
    expect(planPoll(waiting, later(5))).toEqual({ type: "ask" });
    expect(planPoll(waiting, later(899))).toEqual({ type: "ask" });
    expect(planPoll(waiting, later(900))).toEqual({ type: "expired" });
  });
});
