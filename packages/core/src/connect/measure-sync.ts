/** How fast a sync is and how long it still takes; the worker writes it about once a second while it reads. */
export type SyncProgress = {
  /** How many documents it will have listed at its end; null while nothing says so. */
  expected: number | null;
  documentsPerSecond: number | null;
  bytesPerSecond: number | null;
  etaMs: number | null;
};

/** A rate over less is mostly the time that connecting took. */
const minMeasuredMs = 500;
/** What is left by such a rate, and by what a source tells at its beginning, changes too much at first to be shown. */
const minForecastMs = 2_000;

/**
 * Rates are over the time that is measured, so that a pause and what an attempt before it did count for nothing.
 * @param listed documents listed so far
 * @param listedBefore those of them that were listed before that time
 * @param bytes fetched in it
 * @param told how many the source itself says there are
 * @param lastListed how many the last complete sync listed, where this one lists all of them again
 */
export function measureSync(now: {
  listed: number;
  listedBefore: number;
  bytes: number;
  elapsedMs: number;
  told: number | null;
  lastListed: number | null;
}): SyncProgress {
  const { listed, bytes, elapsedMs, told } = now;
  // A source that has grown past what it had says nothing of how much is still to come.
  const estimate = now.lastListed !== null && now.lastListed >= listed ? now.lastListed : null;
  const expected = told !== null && told >= listed ? told : estimate;
  const perSecond = (count: number) => (elapsedMs < minMeasuredMs ? null : (count / elapsedMs) * 1000);
  const listedHere = listed - now.listedBefore;
  const documentsPerSecond = listedHere === 0 ? null : perSecond(listedHere);
  const etaMs =
    expected === null || documentsPerSecond === null || elapsedMs < minForecastMs
      ? null
      : Math.round(((expected - listed) / documentsPerSecond) * 1000);
  return { expected, documentsPerSecond, bytesPerSecond: bytes === 0 ? null : perSecond(bytes), etaMs };
}
