import { expect, it } from "vitest";
import { outcomeOf } from "./event-outcome.ts";

it("calls done only what was allowed and what no later event took back", () => {
  const event = { allowed: true, details: {}, outcome: null };
  expect(outcomeOf(event).word).toBe("Done");
  expect(outcomeOf({ ...event, outcome: { outcome: "refused", code: "ALREADY_RUNNING" } }).word).toBe(
    "Refused: ALREADY_RUNNING",
  );
  expect(outcomeOf({ ...event, outcome: { outcome: "failed", code: "INTERNAL" } }).word).toBe("Failed: INTERNAL");
  expect(outcomeOf({ ...event, allowed: false, details: { code: "FORBIDDEN" } }).word).toBe("Refused: FORBIDDEN");
  expect(outcomeOf({ ...event, allowed: false }).word).toBe("Refused");
});
