import { describe, expect, it } from "vitest";
import { wordCapability, worstStatus, type CapabilityCheck } from "./capability-check.ts";
import { failedCheckError, parseCheckOutcome, readFailedChecks, toCheckOutcome } from "./check-outcome.ts";

const content: CapabilityCheck = { capability: "read", status: "ok", message: "Project SUP can be listed." };
const addresses: CapabilityCheck = { capability: "addresses", status: "warning", message: "1 of 2 accounts has one." };
const permissions: CapabilityCheck = {
  capability: "permissions",
  status: "missing",
  message: "Who may browse SUP cannot be read.",
  action: "Give the account the global permission Jira Administrators.",
};
const people: CapabilityCheck = {
  capability: "people",
  status: "missing",
  message: "Users cannot be listed.",
  action: "Grant User.Read.All.",
};
const refused = { code: "SOURCE_FORBIDDEN" as const, message: people.message, action: people.action! };
const overTheWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("the outcome of a check", () => {
  it("keeps every capability of a source that answers: what works, what is limited and what is missing", () => {
    const checks = [content, permissions, people, addresses];
    const outcome = toCheckOutcome({ summary: "Project SUP can be read.", checks, error: null });
    expect(parseCheckOutcome(overTheWire(outcome))).toEqual({
      status: "ok",
      summary: "Project SUP can be read.",
      checks,
    });
    expect(worstStatus(checks)).toBe("missing");
  });

  it("carries several errors at once, and what works beside them, in the one error that is thrown", () => {
    const checks = [content, permissions, people];
    const outcome = parseCheckOutcome(
      overTheWire(toCheckOutcome({ checks, error: { ...refused, details: { status: 403 } } })),
    );
    if (outcome.status !== "failed") throw new Error("it failed");
    const error = failedCheckError(outcome);
    expect(error).toMatchObject({ ...refused, details: { status: 403 } });
    expect(readFailedChecks(overTheWire(error.toReport()) as typeof refused)).toEqual(checks);
  });

  it("shows no list that only says the error again", () => {
    const error = failedCheckError({ error: refused, checks: [people] });
    expect(error.details).toEqual({ checks: [people] });
    expect(readFailedChecks(error)).toEqual([]);
  });

  it("is read from a worker that knows warnings only, and from one that failed without a list", () => {
    expect(parseCheckOutcome({ status: "ok", summary: "It can be read.", warnings: ["It is slow."] })).toEqual({
      status: "ok",
      summary: "It can be read.",
      checks: [{ capability: "source", status: "warning", message: "It is slow." }],
    });
    expect(parseCheckOutcome({ status: "failed", error: refused })).toEqual({
      status: "failed",
      error: refused,
      checks: [],
    });
    expect(readFailedChecks({ message: "m", details: { checks: "none of ours" } })).toEqual([]);
    expect(() => parseCheckOutcome({ status: "odd" })).toThrow();
  });
});

it("words a capability, one that only its connector knows too", () => {
  expect(["read", "changes", "permissions", "mailboxes"].map(wordCapability)).toEqual([
    "Content",
    "Changes and deletions",
    "Permissions",
    "Mailboxes",
  ]);
});

it("takes the worst for the whole", () => {
  expect([[], [content], [addresses, content]].map(worstStatus)).toEqual(["ok", "ok", "warning"]);
});
