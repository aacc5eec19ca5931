import { addGrowth, createGrowth, type Growth } from "./growth.ts";
import { addToSeason, createSeason, seasonalGrowth, type Season } from "./season.ts";

export type ForecastSettings = { intervalSeconds: number; leadSeconds: number };

/**
 * Load some minutes ahead, learnt as it goes. Three ways of looking ahead are kept (as it is now, as it has been growing,
 * as it grew at this hour of the day or of the week), each weighted by how well it did; how far off the result was is what
 * `growth` holds. With an hour of history only the first two can speak; the cycles join after one period.
 */
export type Forecaster = {
  /** Load by interval, the newest last. */
  recent: readonly number[];
  /** Forecasts that were made and not yet judged, the oldest first. */
  pending: readonly { dueAt: number; expected: number; ways: readonly number[]; judged: boolean }[];
  /** Mean squared error of the logarithm, by way. */
  errors: readonly number[];
  growth: Growth;
  /** Mean load of about the last hours; a forecast of less says less about how far load may grow. */
  usual: number;
  day: Season;
  week: Season;
};

export type Forecast = { level: number; expected: number; ways: readonly number[]; seasonal: boolean };

const daySeconds = 86_400;
const levelSeconds = 60;
const outcomeSeconds = 90;
const trendSeconds = 900;
/** Of a trend, what is believed to go on. */
const trendShare = 0.25;
/**
 * Before anything is known: the log of load five minutes ahead is off by 0.17, worth 40 minutes of observations; on
 * public traces of services with many users it is off by 0.1, on an hour with two jumps in it by 0.28.
 */
const priorSpread = 0.24;
const priorSeconds = 3000;
const memorySeconds = 2 * 3600;

export function createForecaster(settings: ForecastSettings): Forecaster {
  return {
    recent: [],
    pending: [],
    errors: [0.02, 0.03, 0.03, 0.03],
    growth: createGrowth(priorSpread, priorSeconds / settings.intervalSeconds),
    usual: 0,
    day: createSeason(daySeconds),
    week: createSeason(7 * daySeconds),
  };
}

/** What is expected `leadSeconds` after `at`, given the load of the interval that ends at `at`. Grows with that load. */
export function forecastLoad(forecaster: Forecaster, settings: ForecastSettings, at: number, load: number): Forecast {
  const recent = [...forecaster.recent, load];
  const level = meanOfLast(recent, levelSeconds / settings.intervalSeconds);
  const before = meanOfLast(
    recent.slice(0, Math.max(1, recent.length - Math.round(trendSeconds / settings.intervalSeconds))),
    levelSeconds / settings.intervalSeconds,
  );
  const trend =
    recent.length * settings.intervalSeconds > trendSeconds && before > 0
      ? (level / before) ** ((trendShare * settings.leadSeconds) / trendSeconds)
      : 1;
  const later = at + settings.leadSeconds;
  const cycles = [forecaster.day, forecaster.week].map((season) => seasonalGrowth(season, at, later));
  const growths = [1, trend, cycles[0] ?? 1, cycles[1] ?? cycles[0] ?? 1];
  const weights = forecaster.errors.map((error) => error ** -3);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const growth = growths.reduce((sum, value, way) => sum + (value * weights[way]!) / total, 0);
  return { level, expected: level * growth, ways: growths.map((value) => level * value), seasonal: cycles[0] !== null };
}

/** Takes the interval's load in: judges the forecasts that are due, and remembers the one made now. */
export function learnLoad(
  forecaster: Forecaster,
  settings: ForecastSettings,
  at: number,
  load: number,
  forecast: Forecast,
): Forecaster {
  const keepIntervals = Math.ceil((trendSeconds + levelSeconds) / settings.intervalSeconds) + 1;
  const recent = [...forecaster.recent, load].slice(-keepIntervals);
  const outcome = meanOfLast(recent, outcomeSeconds / settings.intervalSeconds);
  const due = forecaster.pending.filter(({ dueAt }) => dueAt <= at);
  const keep = 1 - settings.intervalSeconds / memorySeconds;
  const usual = forecaster.usual === 0 ? load : forecaster.usual * keep + load * (1 - keep);
  let { growth, errors } = forecaster;
  for (const { expected, ways, judged } of due) {
    if (!judged || expected <= 0 || outcome <= 0) continue;
    growth = addGrowth(growth, outcome / expected, Math.min(1, expected / Math.max(usual, 1e-6)), keep);
    errors = errors.map((error, way) => {
      const off = Math.log(outcome / Math.max(ways[way]!, 1e-6)) ** 2;
      return Math.max(1e-4, error + (Math.min(off, 0.25) - error) * (1 - keep));
    });
  }
  return {
    recent,
    pending: [
      ...forecaster.pending.filter(({ dueAt }) => dueAt > at),
      {
        dueAt: at + settings.leadSeconds,
        expected: forecast.expected,
        ways: forecast.ways,
        // A service that begins to get traffic is no example of how load grows.
        judged: recent.length * settings.intervalSeconds > Math.min(settings.leadSeconds, trendSeconds),
      },
    ],
    errors,
    growth,
    usual,
    day: addToSeason(forecaster.day, at, load),
    week: addToSeason(forecaster.week, at, load),
  };
}

/** After a gap or a change of the clock: cycles and errors stay, what is a matter of minutes begins anew. */
export function forgetRecent(forecaster: Forecaster): Forecaster {
  return { ...forecaster, recent: [], pending: [] };
}

function meanOfLast(values: readonly number[], count: number): number {
  const taken = values.slice(-Math.max(1, Math.round(count)));
  return taken.reduce((sum, value) => sum + value, 0) / Math.max(1, taken.length);
}
