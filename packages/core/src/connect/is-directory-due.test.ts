import { expect, it } from "vitest";
import { isDirectoryDue, type DirectoryState } from "./is-directory-due.ts";

const now = new Date("2030-01-02T12:00:00Z");
const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000);
const minutes = (count: number) => count * 60_000;
const isDue = (change: Partial<DirectoryState>) =>
  isDirectoryDue(
    { readAt: null, readMs: null, directoryError: null, lastSyncError: null, waitsUntil: null, ...change },
    now,
  );
const error = (code: "SOURCE_CREDENTIALS" | "SOURCE_UNREACHABLE") => ({ code, message: "No.", action: "Mend it." });

it("reads what was never read, and what is quickly read each time", () => {
  expect(isDue({})).toBe(true);
  expect(isDue({ readAt: minutesAgo(0), readMs: 2_000 })).toBe(true);
});

it("reads what takes long so seldom that it takes a twentieth of the time", () => {
  expect(isDue({ readAt: minutesAgo(189), readMs: minutes(10) })).toBe(false);
  expect(isDue({ readAt: minutesAgo(190), readMs: minutes(10) })).toBe(true);
});

it("leaves a source alone that asked for it, until then", () => {
  expect(isDue({ waitsUntil: new Date(now.getTime() + 1) })).toBe(false);
  expect(isDue({ waitsUntil: minutesAgo(1) })).toBe(true);
});

it("sends no credentials again that were refused, and tries again what was out of reach", () => {
  expect(isDue({ directoryError: error("SOURCE_CREDENTIALS") })).toBe(false);
  expect(isDue({ lastSyncError: error("SOURCE_CREDENTIALS") })).toBe(false);
  expect(isDue({ directoryError: error("SOURCE_UNREACHABLE") })).toBe(true);
});
