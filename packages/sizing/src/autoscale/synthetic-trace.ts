import { createRandom } from "../placement/random.ts";
import type { RequestTrace } from "./request-trace.ts";

export const traceShapes = ["daily", "steps", "bursts", "drift", "steady"] as const;
export type TraceShape = (typeof traceShapes)[number];

export type SyntheticTraceSettings = {
  shape: TraceShape;
  hours: number;
  /** Requests a second, on average. */
  rate: number;
  seed: number;
  /** Means of two log-normal distributions; those of the Azure conversation trace by default. */
  promptTokens?: number;
  outputTokens?: number;
};

/**
 * Traffic that no trace has shown, from a seed: Poisson arrivals whose rate follows
 * - `daily`: a day with its peak in the afternoon, a quieter weekend, and a drift of some percent around it;
 * - `steps`: a level that jumps every half hour or so by a third either way;
 * - `bursts`: a level with spikes of 20 to 80 % for one to ten minutes;
 * - `drift`: a random walk that returns to its mean within the hour;
 * - `steady`: one level.
 */
export function synthesizeTrace(settings: SyntheticTraceSettings): RequestTrace {
  const random = createRandom(settings.seed).next;
  const seconds = settings.hours * 3600;
  const factors = rateFactors(settings.shape, seconds, random);
  const mean = factors.reduce((sum, factor) => sum + factor, 0) / factors.length;
  const arrivals: number[] = [];
  const most = (factors.reduce((largest, factor) => Math.max(largest, factor), 0) / mean) * settings.rate;
  for (let at = exponential(random) / most; at < seconds; at += exponential(random) / most) {
    const rate = (factors[Math.floor(at / stepSeconds)]! / mean) * settings.rate;
    if (random() * most < rate) arrivals.push(at);
  }
  const { promptTokens = 1155, outputTokens = 211 } = settings;
  const lengths = (meanTokens: number, most: number) =>
    Int32Array.from(arrivals, () =>
      Math.min(most, Math.max(1, Math.round(meanTokens * Math.exp(0.8 * normal(random) - 0.32)))),
    );
  return {
    startAt: 0,
    arrivals: Float64Array.from(arrivals, (at) => at - arrivals[0]!),
    promptTokens: lengths(promptTokens, promptTokens * 10),
    outputTokens: lengths(outputTokens, outputTokens * 5),
  };
}

const stepSeconds = 15;

function rateFactors(shape: TraceShape, seconds: number, random: () => number): number[] {
  const steps = Math.ceil(seconds / stepSeconds) + 1;
  const noise = wander(steps, 0.05, 60, random);
  switch (shape) {
    case "steady":
      return noise;
    case "drift": {
      const walk = wander(steps, 0.25, 1500, random);
      return noise.map((factor, i) => factor * walk[i]!);
    }
    case "daily": {
      const walk = wander(steps, 0.08, 3600, random);
      return noise.map((factor, i) => {
        const day = (i * stepSeconds) / 86_400;
        const weekend = Math.floor(day) % 7 >= 5 ? 0.7 : 1;
        return factor * walk[i]! * weekend * (1 - 0.65 * Math.cos(2 * Math.PI * (day - 0.08)));
      });
    }
    case "steps": {
      let level = 1;
      return noise.map((factor) => {
        if (random() < stepSeconds / 1800) level = Math.min(2, Math.max(0.5, level * Math.exp(0.33 * normal(random))));
        return factor * level;
      });
    }
    case "bursts": {
      let left = 0;
      let height = 1;
      return noise.map((factor) => {
        left -= stepSeconds;
        if (left <= 0 && random() < stepSeconds / 1200) {
          left = 60 + random() * 540;
          height = 1.2 + random() * 0.6;
        }
        return left > 0 ? factor * height : factor;
      });
    }
  }
}

/** Log-normal with this standard deviation around 1, forgetting its past within `seconds`. */
function wander(steps: number, spread: number, seconds: number, random: () => number): number[] {
  const keep = Math.exp(-stepSeconds / seconds);
  let state = normal(random);
  return Array.from({ length: steps }, () => {
    state = keep * state + Math.sqrt(1 - keep ** 2) * normal(random);
    return Math.exp(spread * state);
  });
}

const exponential = (random: () => number) => -Math.log(1 - random());

/** Box and Muller's transform. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
