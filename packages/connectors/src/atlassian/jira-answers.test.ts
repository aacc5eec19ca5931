import { describe, expect, it } from "vitest";
import { listedIssueSchema, toListedIssue, unknownRole } from "./jira-answers.ts";

describe("the restriction of an issue to roles", () => {
  const restrictedTo = (fields: object) =>
    toListedIssue(listedIssueSchema.parse({ id: "1", fields }), "accountId").restrictedTo;
  const given = (issuerestrictions: unknown) => restrictedTo({ issuerestriction: { issuerestrictions } });

  it("is none where Jira says so", () => {
    expect(given({})).toBeNull();
    expect(restrictedTo({ issuerestriction: null })).toBeNull();
  });

  it("names its roles in one order, however their ids are called", () => {
    expect(given({ projectrole: [{ restrictionValue: "10003" }, { id: "10002" }] })).toEqual(["10002", "10003"]);
  });

  it.each([
    ["another kind beside roles", { projectrole: [{ id: "10002" }], group: [{ id: "1" }] }],
    ["another kind alone", { user: [] }],
    ["no role", { projectrole: [] }],
    ["a role without an id", { projectrole: [{ id: "10002" }, { name: "Administrators" }] }],
    ["an id that is none", { projectrole: [{ id: "10002|x" }] }],
    ["no object", "everybody"],
    ["nothing", undefined],
  ])("is not known with %s", (_, restriction) => {
    expect(given(restriction)).toEqual([unknownRole]);
  });

  it("is not told without the field", () => {
    expect(restrictedTo({})).toBe("untold");
  });
});
