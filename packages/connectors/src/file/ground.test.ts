import { expect, it } from "vitest";
import { testContext } from "../../conformance/test-context.ts";
import { openFileCalls } from "./file-calls.ts";
import { isInside, openGround } from "./ground.ts";

it("closes in all of a machine what is no document of anybody, each folder once", async () => {
  const calls = await openFileCalls("/", testContext());
  const ownFolders = ["/nowhere/state", "/nowhere/state/objects", "/nowhere/../nowhere/objects"];
  const ground = await openGround({ place: "/", path: "/", ownFolders }, calls);
  expect(ground).toEqual({ path: "/", closed: ["/nowhere/state", "/nowhere/objects", "/proc", "/sys", "/dev"] });
  expect(isInside(ground, "/processes/a.md")).toBe(true);
  for (const path of ["/proc", "/proc/self/environ", "/nowhere/objects/a", "/"])
    expect(isInside(ground, path)).toBe(false);
});
