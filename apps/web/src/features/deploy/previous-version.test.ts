import { expect, it } from "vitest";
import { previousVersion } from "./previous-version.ts";

const versions = [{ id: "v3" }, { id: "v2" }, { id: "v1" }];
const entry = (seq: number, adapterVersionId: string, alias = "production") => ({ seq, adapterVersionId, alias });

it("is what the alias served before, not the version with the next smaller number", () => {
  expect(previousVersion({ versions, history: [entry(2, "v3"), entry(1, "v1")] }, entry(2, "v3"))).toEqual({ id: "v1" });
});

it("looks past a repeated deployment of the same version", () => {
  expect(previousVersion({ versions, history: [entry(3, "v2"), entry(2, "v2"), entry(1, "v1")] }, entry(3, "v2"))).toEqual({ id: "v1" });
});

it("never takes another alias's past, and finds nothing for a first deployment", () => {
  expect(previousVersion({ versions, history: [entry(2, "v2"), entry(1, "v1", "canary")] }, entry(2, "v2"))).toBeUndefined();
});
