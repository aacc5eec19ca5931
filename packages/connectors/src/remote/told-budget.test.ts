import { describe, expect, it } from "vitest";
import { spentBudgetMs } from "./told-budget.ts";

const nowMs = Date.UTC(2026, 10, 30, 12);
const spent = (headers: Record<string, string>) => spentBudgetMs(new Headers(headers), nowMs);
const refused = (headers: Record<string, string>) => spentBudgetMs(new Headers(headers), nowMs, true);
const inSeconds = (seconds: number) => nowMs / 1000 + seconds;

describe("spentBudgetMs", () => {
  it.each([
    ["seconds (the draft, Microsoft)", "30"],
    ["a point in time in seconds (GitHub, GitLab)", String(inSeconds(30))],
    ["one in fractions of seconds (Discord)", `${inSeconds(30)}.000`],
    ["one in milliseconds", String(nowMs + 30_000)],
    ["a date (Jira)", "2026-11-30T12:00:30Z"],
  ])("understands a reset as %s", (_, reset) => {
    for (const prefix of ["RateLimit", "X-RateLimit", "X-Rate-Limit"]) {
      expect(spent({ [`${prefix}-Remaining`]: "0", [`${prefix}-Reset`]: reset })).toBe(30_000);
    }
  });

  it.each([
    ["of the newer draft", '"default";r=0;t=30'],
    ["of several budgets, of which one is spent", '"burst";r=9;t=1, "day";q=5;r=0;t=30'],
    ["of the seventh draft", "limit=100, remaining=0, reset=30"],
  ])("reads the one header %s", (_, value) => {
    expect(spent({ RateLimit: value })).toBe(30_000);
  });

  it("waits for the longest of the budgets that are spent, and for none of which something is left", () => {
    const day = { "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "7200" };
    expect(spent({ ...day, RateLimit: '"burst";r=0;t=30' })).toBe(7_200_000);
    expect(spent({ ...day, "X-RateLimit-Remaining": "1" })).toBeNull();
    expect(spent({ RateLimit: '"burst";r=3;t=30' })).toBeNull();
  });

  it("goes by the service's clock where it tells a point in time", () => {
    const reset = { "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": String(inSeconds(630)) };
    expect(spent({ ...reset, Date: "Mon, 30 Nov 2026 12:10:00 GMT" })).toBe(30_000);
  });

  it("takes a reset alone for a wait only where the answer refuses, and does not tell that something is left", () => {
    expect(spent({ "RateLimit-Reset": "30" })).toBeNull();
    expect(refused({ "RateLimit-Reset": "30" })).toBe(30_000);
    expect(refused({ "RateLimit-Reset": "30", "RateLimit-Remaining": "4999" })).toBeNull();
    expect(refused({})).toBeNull();
  });

  it.each([
    "soon",
    "",
    "-5",
    "0",
    "0x1e",
    "NaN",
    "1e3",
    String(inSeconds(-30)),
    "2026-11-30T11:59:00Z",
    "9999-01-01T00:00Z",
  ])("ignores a reset that is over or nonsense (%s)", (reset) => {
    expect(refused({ "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset })).toBeNull();
  });

  it("ignores nonsense where the rest is told", () => {
    expect(spent({ "RateLimit-Remaining": "none", "RateLimit-Reset": "30" })).toBeNull();
    for (const value of ["", ",;=", "default;r;t", '"default";r=0']) expect(spent({ RateLimit: value })).toBeNull();
  });

  it("is a day at most", () => {
    const inTwentyDays = String(inSeconds(20 * 86_400));
    expect(spent({ "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": inTwentyDays })).toBe(86_400_000);
  });
});
