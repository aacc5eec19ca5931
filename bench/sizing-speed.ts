/**
 * The speed estimate against measured runs: `node sizing-speed.ts [--fit]` prints one JSON object as its last line with
 * the median absolute errors of TPOT and TTFT below the knee: with the shipped constants (in-sample), with constants
 * fitted without the model, the GPU or the engine that is predicted, and by engine, GPU and model. `--fit` also prints
 * the constants fitted on all runs. Without ../shared there is nothing to compare with: `{ "skipped": ... }`.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type SpeedConstants, speedConstants } from "@anneal/sizing/speed/speed-constants";
import { isSaturated, predict, readRuns, type Run } from "./sizing-speed-data.ts";
import { fitConstants, isOdd } from "./sizing-speed-fit.ts";

type Errors = { runs: number; tpot: number; ttft: number };
type Pair = { run: Run; tpot: number; ttft: number };

const folder = join(import.meta.dirname, "../../shared/sizing");
const { values } = parseArgs({ options: { fit: { type: "boolean", default: false } } });
const iterations = 8;

if (existsSync(folder)) {
  const { runs, leftOut } = readRuns(folder);
  const below = runs.filter((run) => !isSaturated(run));
  if (values.fit) console.log(JSON.stringify(fitConstants(below, speedConstants, 2 * iterations), null, 2));
  console.log(JSON.stringify(measure(runs, below, leftOut)));
} else console.log(JSON.stringify({ skipped: "../shared/sizing is absent" }));

function measure(runs: readonly Run[], below: readonly Run[], leftOut: Record<string, number>) {
  const shipped = compare(below, speedConstants);
  const unseen = (key: (run: Run) => string) => {
    const pairs = distinct(below, key).flatMap((name) => {
      const constants = fitConstants(
        below.filter((run) => key(run) !== name),
        speedConstants,
        iterations,
      );
      return compare(
        below.filter((run) => key(run) === name),
        constants,
      );
    });
    return {
      all: summarise(pairs),
      withoutOddTtft: summarise(pairs.filter(({ run }) => !isOdd(run))),
      each: by(pairs, key),
    };
  };
  return {
    runs: runs.length,
    leftOut,
    belowKnee: below.length,
    inSample: { all: summarise(shipped), withoutOddTtft: summarise(shipped.filter(({ run }) => !isOdd(run))) },
    byEngine: by(shipped, (run) => run.engine),
    byGpu: by(shipped, (run) => run.gpu),
    byModel: by(shipped, (run) => run.model),
    leaveOneModelOut: unseen((run) => run.model),
    leaveOneGpuOut: unseen((run) => run.gpu),
    leaveOneEngineOut: unseen((run) => run.family),
    knee: compareKnees(runs),
  };
}

function compare(runs: readonly Run[], constants: SpeedConstants): Pair[] {
  return runs.map((run) => {
    const state = predict(run, constants);
    return { run, tpot: Math.abs(state.tpotMs / run.tpotMs - 1), ttft: Math.abs(state.ttftMs / run.ttftMs - 1) };
  });
}

/** Series of runs that differ in batch only: the first batch that is saturated, as measured and as estimated. */
function compareKnees(runs: readonly Run[]) {
  const key = (run: Run) =>
    [
      run.engine,
      run.model,
      run.gpu,
      run.precision,
      run.tensorParallel,
      run.expertParallel,
      run.inputTokens,
      run.outputTokens,
    ].join();
  const series = distinct(runs, key).map((name) =>
    runs.filter((run) => key(run) === name).sort((a, b) => a.batch - b.batch),
  );
  const first = (list: readonly Run[], test: (run: Run) => boolean) => list.find(test)?.batch;
  const measured = series.flatMap((list) => {
    const batch = first(list, isSaturated);
    const [run] = list;
    return batch === undefined || !run || list.length < 3 ? [] : [{ batch, estimate: run.capacity, run }];
  });
  // The first batch above the estimate, in the same steps, is at most twice it.
  const within = measured.filter(({ batch, estimate }) => estimate > batch / 4 && estimate < 2 * batch);
  const quiet = runs.filter((run) => !isSaturated(run));
  return {
    measured: measured.length,
    withinFactorTwo: within.length,
    falselySaturated: quiet.filter((run) => run.batch > run.capacity).length,
    quietRuns: quiet.length,
  };
}

function by(pairs: readonly Pair[], key: (run: Run) => string): Record<string, Errors> {
  return Object.fromEntries(
    distinct(
      pairs.map(({ run }) => run),
      key,
    ).map((name) => [name, summarise(pairs.filter(({ run }) => key(run) === name))]),
  );
}

function summarise(pairs: readonly Pair[]): Errors {
  return {
    runs: pairs.length,
    tpot: median(pairs.map(({ tpot }) => tpot)),
    ttft: median(pairs.map(({ ttft }) => ttft)),
  };
}

function median(errors: readonly number[]): number {
  const sorted = errors.toSorted((left, right) => left - right);
  return Math.round(1000 * (sorted[Math.floor(sorted.length / 2)] ?? Number.NaN)) / 1000;
}

function distinct<Item>(items: readonly Item[], key: (item: Item) => string): string[] {
  return [...new Set(items.map(key))];
}
