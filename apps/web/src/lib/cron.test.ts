import { expect, it } from "vitest";
import { findCronProblem, parseInterval } from "./cron.ts";

it.each([
  "*/15 * * * *",
  "*/59 */23 * * *",
  "0 2 * * 1",
  "30 5 * * 1-5",
  "0,30 8-18/2 1 jan-mar mon",
  "5/20 0 29 2 *",
  "0 0 31 feb mon",
  " 0 0 31 12 7 ",
])("takes %j", (cron) => expect(findCronProblem(cron)).toBeUndefined());

it.each([
  ["99 99 * * *", "“99” is no minute"],
  ["0 24 * * *", "“24” is no hour"],
  ["0 0 0 * *", "no day of the month"],
  ["0 0 * 13 *", "no month"],
  ["0 0 * * 8", "no weekday"],
  ["5-1 * * * *", "“5-1” is no minute"],
  ["*/0 * * * *", "“*/0” is no minute"],
  ["1, * * * *", "Nothing is no minute"],
  [
    "*/61 * * * *",
    "The step of “*/61” is too large for the minute: it is at most 59. Choose a smaller one, or an interval such as @every 61m.",
  ],
  ["*/60 * * * *", "@every 60m"],
  [
    "0 */24 * * *",
    "The step of “*/24” is too large for the hour: it is at most 23. Choose a smaller one, or an interval such as @every 24h.",
  ],
  ["0 0 */40 * *", "@every 40d"],
  ["0 0 1 */12 *", "The step of “*/12” is too large for the month: it is at most 11. Choose a smaller one."],
  ["0 0 * * */7", "too large for the weekday: it is at most 6. Choose a smaller one."],
  ["0 8-10/5 * * *", "The step of “8-10/5” is too large for the hour: it is at most 2."],
  ["7/0 * * * *", "“7/0” is no minute"],
  ["0 0 31 2,4 *", "No month of these has such a day: this would never begin."],
  ["", "five fields"],
  ["* * * *", "five fields"],
])("says of %j which field is wrong", (cron, words) => expect(findCronProblem(cron)).toContain(words));

it("takes intervals of minutes, hours and days, and says how one is written", () => {
  expect(["@every 30m", "@every 6h", " @every 2d "].map(parseInterval)).toEqual([1_800_000, 21_600_000, 172_800_000]);
  for (const interval of ["@every 30m", "@every 365d"]) expect(findCronProblem(interval)).toBeUndefined();
  for (const wrong of ["@every 0m", "@every 5s", "@every 366d", "@every", "@daily", "@every 1.5h"])
    expect(findCronProblem(wrong)).toContain("@every 30m");
  expect(parseInterval("0 * * * *")).toBeNull();
});
