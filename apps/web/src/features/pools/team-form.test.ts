import { expect, it } from "vitest";
import { fieldsOf, readTeam } from "./team-form.ts";

const now = new Date("2026-11-28T12:00:00Z");
const dayMs = 86_400_000;

it("offers a new team no limits, and the first of the next month for its budgets", () => {
  const fields = fieldsOf(null, now);
  expect(fields).toMatchObject({ nominal: "", weight: "1", gpuHours: { limit: "", renews: "2026-12-01" } });
  expect(fieldsOf(null, new Date("2026-12-31T23:00:00Z")).tokens.renews).toBe("2027-01-01");
  expect(readTeam({ ...fields, name: "research" }, now).team).toEqual({
    name: "research",
    nominalGpuMilli: null,
    borrowingLimitGpuMilli: null,
    weight: 1,
    budgets: [],
    own: false,
  });
});

it("gives back what it was given, but for what was spent, which the server knows", () => {
  const team = {
    name: "research",
    nominalGpuMilli: 2500,
    borrowingLimitGpuMilli: 0,
    weight: 2,
    budgets: [
      { unit: "gpu-hours" as const, limit: 100, spent: 7, renewsAtMs: Date.parse("2026-12-05"), periodMs: 7 * dayMs },
    ],
    own: true,
  };
  const [budget] = team.budgets;
  expect(readTeam(fieldsOf(team, now), now).team).toEqual({ ...team, budgets: [{ ...budget, spent: 0 }] });
});

it("says at each input what is wrong with it, all at once", () => {
  const fields = { ...fieldsOf(null, now), nominal: "four", weight: "0" };
  fields.gpuHours = { ...fields.gpuHours, limit: "10", renews: "2026-11-27" };
  expect(Object.keys(readTeam(fields, now).problems ?? {}).toSorted()).toEqual([
    "gpu-hours.renews",
    "name",
    "nominal",
    "weight",
  ]);
});

it("borrows nothing above a quota that there is not", () => {
  const fields = { ...fieldsOf(null, now), name: "research", borrowing: "4" };
  expect(readTeam(fields, now).team).toMatchObject({ nominalGpuMilli: null, borrowingLimitGpuMilli: null });
});
