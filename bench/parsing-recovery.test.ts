import { expect, it } from "vitest";
import { measureRecovery } from "./parsing-recovery.ts";

it("counts each word as often as it was written, in any order, and those in order apart", () => {
  const truth = "The left column ends. The right one begins.";
  expect(measureRecovery("The LEFT column ends, the right one begins!", truth)).toEqual({
    written: 34,
    found: 34,
    inOrder: 34,
  });
  expect(measureRecovery("The right one begins. The left column ends.", truth)).toEqual({
    written: 34,
    found: 34,
    inOrder: 17,
  });
  expect(measureRecovery("The the the left", truth)).toMatchObject({ found: 10, inOrder: 7 });
  expect(
    measureRecovery("More before the left column ends and more. The right one, which is new, begins", truth),
  ).toEqual({
    written: 34,
    found: 34,
    inOrder: 34,
  });
  expect(measureRecovery("", truth)).toEqual({ written: 34, found: 0, inOrder: 0 });
});
