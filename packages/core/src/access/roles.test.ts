import { expect, it } from "vitest";
import { mayDownloadAdapters, mayEdit, mayRun, mayUnmask, roles } from "./roles.ts";

it("lets an operator keep a workspace running and change nothing in it, and a member or a machine neither", () => {
  expect(roles.filter(mayRun)).toEqual(["admin", "data_scientist", "operator"]);
  expect(roles.filter(mayEdit)).toEqual(["admin", "data_scientist"]);
  expect(roles.filter(mayDownloadAdapters)).toEqual(["admin", "data_scientist", "operator"]);
  expect(roles.filter(mayUnmask)).toEqual(["admin", "data_scientist"]);
});
