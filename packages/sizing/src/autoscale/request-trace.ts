import { SizingError } from "../sizing-error.ts";
import { createRandom } from "../placement/random.ts";

/** Requests in the order of their arrival. */
export type RequestTrace = {
  /** Unix time of the first request, in seconds. */
  startAt: number;
  /** Seconds since the first. */
  arrivals: Float64Array;
  promptTokens: Int32Array;
  outputTokens: Int32Array;
};

const columns = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"] as const;

/**
 * Reads a trace in the format of the Azure LLM inference traces (CSV with TIMESTAMP, ContextTokens, GeneratedTokens, in
 * any order of columns and rows). Timestamps are ISO-like and count as UTC where they name no zone.
 * @throws SizingError INVALID_REQUEST that names the line and what would be right
 */
export function readRequestTrace(csv: string): RequestTrace {
  const lines = csv.split("\n");
  const header = (lines[0] ?? "")
    .replace(/^\uFEFF/, "")
    .trim()
    .split(",");
  const [time, prompt, output] = columns.map((column) => header.indexOf(column));
  if (time === undefined || prompt === undefined || output === undefined || Math.min(time, prompt, output) < 0) {
    throw new SizingError(
      "INVALID_REQUEST",
      `The trace's first line must name the columns ${columns.join(", ")}; it is "${(lines[0] ?? "").trim().slice(0, 80)}".`,
    );
  }
  const rows: { at: number; prompt: number; output: number }[] = [];
  for (let line = 1; line < lines.length; line++) {
    const text = (lines[line] ?? "").trim();
    if (text === "") continue;
    const fields = text.split(",");
    const row = { at: readTime(fields[time] ?? ""), prompt: Number(fields[prompt]), output: Number(fields[output]) };
    if (!Number.isFinite(row.at) || !isCount(row.prompt) || !isCount(row.output)) {
      throw new SizingError(
        "INVALID_REQUEST",
        `Line ${line + 1} of the trace is "${text.slice(0, 80)}": wanted are a time like 2023-11-16 18:15:46.680 and two whole numbers of tokens.`,
        { line: line + 1 },
      );
    }
    rows.push(row);
  }
  if (rows.length === 0) throw new SizingError("INVALID_REQUEST", "The trace holds no request, only its first line.");
  rows.sort((left, right) => left.at - right.at);
  const start = rows[0]!.at;
  return {
    startAt: start,
    arrivals: Float64Array.from(rows, ({ at }) => at - start),
    promptTokens: Int32Array.from(rows, (row) => row.prompt),
    outputTokens: Int32Array.from(rows, (row) => row.output),
  };
}

const isCount = (value: number) => Number.isInteger(value) && value >= 0 && value < 2 ** 31;

/** Seconds; Date.parse knows milliseconds only, so the fraction is added by hand. */
function readTime(text: string): number {
  const [, date, clock, fraction = "", zone = ""] =
    /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?$/.exec(text.trim()) ?? [];
  if (date === undefined) return Number.NaN;
  return Date.parse(`${date}T${clock}${zone || "Z"}`) / 1000 + Number(fraction || 0);
}

/**
 * Copies of one request are this far apart at most, either way. Less, and the chance of a few users is multiplied with them;
 * more, and the course of the minutes is smoothed away.
 */
export const scaleSpreadSeconds = 60;

/**
 * The same traffic at `scale` times its rate: each request is repeated, every copy moved by up to `spreadSeconds` either
 * way, so that minutes keep their shape and copies do not arrive in one instant. Below 1 requests are left out by chance.
 */
export function scaleTrace(
  trace: RequestTrace,
  scale: number,
  seed: number,
  spreadSeconds = scaleSpreadSeconds,
): RequestTrace {
  if (!(scale > 0) || !Number.isFinite(scale)) {
    throw new SizingError("INVALID_REQUEST", `The scale is ${scale}; wanted is a number above 0.`, { scale });
  }
  if (scale === 1) return trace;
  const random = createRandom(seed).next;
  const end = durationOf(trace);
  const copies = trace.arrivals.map(() => Math.floor(scale) + (random() < scale % 1 ? 1 : 0));
  const count = copies.reduce((sum, value) => sum + value, 0);
  const from = new Uint32Array(count);
  const keys = new Float64Array(count);
  let next = 0;
  for (let i = 0; i < copies.length; i++) {
    for (let copy = 0; copy < copies[i]!; copy++, next++) {
      const moved = trace.arrivals[i]! + (copy === 0 ? 0 : (random() * 2 - 1) * spreadSeconds);
      // What would leave the trace at one end comes back from there.
      const milliseconds = Math.round(Math.abs(end - Math.abs(moved - end)) * 1000);
      from[next] = i;
      // Time and place in one number, because sorting plain numbers is many times faster than sorting by a function.
      keys[next] = milliseconds * count + next;
    }
  }
  keys.sort();
  const scaled = {
    startAt: trace.startAt,
    arrivals: new Float64Array(count),
    promptTokens: new Int32Array(count),
    outputTokens: new Int32Array(count),
  };
  for (let place = 0; place < count; place++) {
    const request = from[keys[place]! % count]!;
    scaled.arrivals[place] = Math.floor(keys[place]! / count) / 1000;
    scaled.promptTokens[place] = trace.promptTokens[request]!;
    scaled.outputTokens[place] = trace.outputTokens[request]!;
  }
  return scaled;
}

/** Seconds from the first request to the last. */
export function durationOf(trace: RequestTrace): number {
  return trace.arrivals.at(-1) ?? 0;
}
