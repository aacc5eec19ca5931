import { describe, expect, it } from "vitest";
import { findOutgrownWords } from "./administrators-word.ts";

const fields = {
  closed: {
    title: "Closed folders",
    default: "possible",
    labels: { possible: "There may be some", none: "There are none" },
    administrator: true,
    about: ["spaces"],
  },
  spaces: { title: "Spaces", default: [] },
  allowPrivateHosts: { default: false, administrator: true },
};
const outgrown = (now: string[] | undefined, before: string[] | undefined, closed = "none") =>
  findOutgrownWords(
    fields,
    { closed, allowPrivateHosts: true, ...(now && { spaces: now }) },
    { closed: "none", ...(before && { spaces: before }) },
  ).map(({ field }) => field);

describe("an administrator's word", () => {
  it.each([
    [["DOCS"], ["DOCS"]],
    [
      ["HR", "DOCS"],
      ["DOCS", "HR"],
    ],
    [["DOCS"], ["DOCS", "HR"]],
    [[], []],
    [[], undefined],
    [undefined, []],
  ])("holds of %j where it was given for %j", (now, before) => {
    expect(outgrown(now, before)).toEqual([]);
  });

  it.each([
    [["DOCS", "HR"], ["DOCS"]],
    [["HR"], ["DOCS"]],
    [[], ["DOCS"]],
    [undefined, ["DOCS"]],
    // What is named is read also where “everything” leaves it out.
    [["OLD"], []],
  ])("does not hold of %j where it was given for %j", (now, before) => {
    expect(outgrown(now, before)).toEqual(["closed"]);
    expect(outgrown(now, before, "possible")).toEqual([]);
  });

  it("that was outgrown is told with what to do", () => {
    expect(
      findOutgrownWords(fields, { closed: "none", spaces: [] }, { closed: "none", spaces: ["DOCS"] }),
    ).toMatchObject([
      {
        message: "What an administrator set as “Closed folders” is about the “Spaces” of before, not about these.",
        action: "Set it back to “There may be some” (closed=possible), or ask an administrator to save this.",
      },
    ]);
  });
});
