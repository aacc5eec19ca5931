import { expect, it } from "vitest";
import { addToSeason, createSeason, seasonalGrowth } from "./season.ts";

const day = 86_400;
const loadAt = (at: number) => 10 + 6 * Math.sin((2 * Math.PI * at) / day);

function watch(days: number) {
  let season = createSeason(day);
  for (let at = 0; at < days * day; at += 60) season = addToSeason(season, at, loadAt(at));
  return season;
}

it("knows nothing of a period before the first one is through", () => {
  expect(seasonalGrowth(watch(0.9), 0.2 * day, 0.97 * day)).toBeNull();
});

it("tells the growth of an hour from the days before, more surely the more there were", () => {
  const [from, to] = [7 * day, 7 * day + 3600];
  const truth = loadAt(to) / loadAt(from);
  const one = seasonalGrowth(watch(1.1), from, to)!;
  const week = seasonalGrowth(watch(7), from, to)!;
  expect(one).toBeGreaterThan(1);
  expect(one).toBeLessThan(week);
  expect(Math.abs(week / truth - 1)).toBeLessThan(0.05);
});
