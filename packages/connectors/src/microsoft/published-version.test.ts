import { describe, expect, it } from "vitest";
import { isDraft, wasNeverPublished } from "./published-version.ts";

describe("a file in a drive", () => {
  it.each([
    ["a minor version", { level: "published", versionId: "2.1" }],
    ["one that was never published", { level: "published", versionId: "0.3" }],
    ["checked out", { level: "checkout", versionId: "2.0" }],
    ["in a state that is not known", { level: "pending", versionId: "2.0" }],
  ])("is looked at more closely when it is %s", (_, publication) => {
    expect(isDraft({ id: "1", publication })).toBe(true);
  });

  it.each([
    ["a major version", { level: "published", versionId: "2.0" }],
    ["in a drive without versions", { level: "published", versionId: null }],
    ["in a drive whose versions have names of another form", { versionId: "aTEwOTkxNDZ" }],
    ["in a drive that says nothing of it", null],
  ])("is read as it is when it is %s", (_, publication) => {
    expect(isDraft({ id: "1", publication })).toBe(false);
  });

  it("was never published while its version begins with 0", () => {
    expect(wasNeverPublished({ id: "1", publication: { versionId: "0.12" } })).toBe(true);
    expect(wasNeverPublished({ id: "1", publication: { versionId: "10.1" } })).toBe(false);
  });
});
