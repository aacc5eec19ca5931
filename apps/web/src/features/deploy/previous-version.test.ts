import { expect, it } from "vitest";
import { previousVersion } from "./previous-version.ts";

const versions = [3, 2, 1].map((version) => ({ id: `v${version}`, version }));
const served = (...numbers: number[]) =>
  numbers.map((version) => ({ alias: "production", adapterVersionId: `v${version}`, version }));
const now = (version: number) => ({ alias: "production", version });

it("is what the alias served before, not the version with the next smaller number", () => {
  expect(previousVersion({ versions, history: served(3, 1) }, now(3))?.id).toBe("v1");
});

it("looks past a repeated deployment of the same version", () => {
  expect(previousVersion({ versions, history: served(2, 2, 1) }, now(2))?.id).toBe("v1");
});

it("goes further back after a rollback instead of undoing it", () => {
  expect(previousVersion({ versions, history: served(2, 3, 2, 1) }, now(2))?.id).toBe("v1");
});

it("never takes another alias's past, and finds nothing for a first deployment", () => {
  const history = [...served(2), { alias: "canary", adapterVersionId: "v1", version: 1 }];
  expect(previousVersion({ versions, history }, now(2))).toBeUndefined();
});
