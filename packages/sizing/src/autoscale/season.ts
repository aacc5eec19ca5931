/**
 * A repeating profile of load: the mean logarithm by slot of the period (a day, a week), each period counting more than the
 * ones before. Differences between two slots say how much load grows from one to the other.
 */
export type Season = {
  periodSeconds: number;
  /** Null where no period has reached yet. */
  slots: readonly ({ mean: number; periods: number } | null)[];
  /** The slot being filled: its number since the epoch, and what it has so far. */
  open: { slot: number; sum: number; count: number } | null;
};

const slotSeconds = 300;

export function createSeason(periodSeconds: number): Season {
  return { periodSeconds, slots: Array.from({ length: periodSeconds / slotSeconds }, () => null), open: null };
}

export function addToSeason(season: Season, at: number, load: number): Season {
  const slot = Math.floor(at / slotSeconds);
  const value = Math.log(Math.max(load, 1e-3));
  const { open } = season;
  if (open?.slot === slot) return { ...season, open: { slot, sum: open.sum + value, count: open.count + 1 } };
  const next = { slot, sum: value, count: 1 };
  if (open === null) return { ...season, open: next };
  const slots = [...season.slots];
  const place = open.slot % slots.length;
  const known = slots[place];
  const mean = open.sum / open.count;
  slots[place] = known
    ? { mean: known.mean + (mean - known.mean) * Math.max(0.3, 1 / (known.periods + 1)), periods: known.periods + 1 }
    : { mean, periods: 1 };
  return { ...season, slots, open: next };
}

/**
 * By what factor load grows from one time to the other, judged by the periods before; null before the first is through.
 * A quarter of an hour around each is averaged, and few periods count for less, because one day's noise is no cycle.
 */
export function seasonalGrowth(season: Season, from: number, to: number): number | null {
  const start = around(season, from);
  const end = around(season, to);
  if (start === null || end === null) return null;
  const periods = Math.min(start.periods, end.periods);
  return Math.exp((end.mean - start.mean) * (periods / (periods + 1)));
}

function around({ slots }: Season, at: number): { mean: number; periods: number } | null {
  const exact = at / slotSeconds - 0.5;
  const base = Math.floor(exact);
  let sum = 0;
  let weights = 0;
  let periods = Infinity;
  for (let slot = base - 1; slot <= base + 2; slot++) {
    const known = slots[((slot % slots.length) + slots.length) % slots.length];
    if (!known) return null;
    const weight = Math.max(0, 2 - Math.abs(slot - exact));
    sum += known.mean * weight;
    weights += weight;
    periods = Math.min(periods, known.periods);
  }
  return { mean: sum / weights, periods };
}
