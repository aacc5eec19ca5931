/** The five fields as Temporal reads them; months and weekdays may be named. */
const fields = [
  { name: "minute", least: 0, most: 59, names: [], unit: "m" },
  { name: "hour", least: 0, most: 23, names: [], unit: "h" },
  { name: "day of the month", least: 1, most: 31, names: [], unit: "d" },
  {
    name: "month",
    least: 1,
    most: 12,
    names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
  },
  { name: "weekday", least: 0, most: 7, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
] as const satisfies readonly Field[];

/** `unit`: of the interval that a step beyond the field may have been meant for. */
type Field = { name: string; least: number; most: number; names: readonly string[]; unit?: keyof typeof unitMs };

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const longestMs = 365 * unitMs.d;

/** "@every 30m", in minutes, hours or days, as milliseconds; null for anything else. */
export function parseInterval(text: string): number | null {
  const match = /^@every ([1-9]\d{0,5})([mhd])$/.exec(text.trim());
  if (!match) return null;
  const everyMs = Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
  return everyMs <= longestMs ? everyMs : null;
}

/** What is wrong with a cron expression of five fields or an interval, as a sentence; undefined when nothing is. */
export function findCronProblem(text: string): string | undefined {
  if (text.trim().startsWith("@"))
    return parseInterval(text) === null
      ? "An interval is @every and a number of minutes, hours or days up to a year, such as @every 30m, @every 6h or @every 2d."
      : undefined;
  const given = text.trim().split(/\s+/);
  if (given.length !== fields.length)
    return "A cron expression has five fields: minute, hour, day, month, weekday; such as 30 5 * * 1-5.";
  for (const [index, field] of fields.entries()) {
    for (const part of given[index]!.split(",")) {
      const range = rangeOf(part, field);
      if (range === undefined)
        return `${part === "" ? "Nothing" : `“${part.slice(0, 40)}”`} is no ${field.name}: it is a number from ${field.least} to ${field.most}, a range such as ${field.least}-${field.most}, or *.`;
      if (range.step > range.last - range.first) return wordStep(part, range, field);
    }
  }
  const [, , days = "", months = "", weekdays = ""] = given;
  return weekdays === "*" && neverComes(days, months)
    ? "No month of these has such a day: this would never begin. Choose another day or month."
    : undefined;
}

type Range = { first: number; last: number; step: number };

/** "*", "5", "1-5", and each of them with a step, as in "1-30/5"; undefined for anything else. A single value has step 0. */
function rangeOf(part: string, field: Field): Range | undefined {
  const match = /^(?:\*|(\w+)(?:-(\w+))?)(?:\/([1-9]\d{0,2}))?$/u.exec(part);
  if (!match) return undefined;
  const [, from, to, stepped] = match;
  const step = Number(stepped ?? 0);
  // Sunday is 0 and 7, and once in "*".
  if (from === undefined) return { first: field.least, last: field.name === "weekday" ? 6 : field.most, step };
  const first = valueOf(from, field);
  const last = to === undefined ? (step === 0 ? first : field.most) : valueOf(to, field);
  return first !== undefined && last !== undefined && first <= last ? { first, last, step } : undefined;
}

/** A larger step is taken without a word for one firing in the hour, day or month: who writes it means something else. */
function wordStep(part: string, { first, last, step }: Range, { name, unit }: Field): string {
  const most = last - first;
  const advice =
    unit === undefined
      ? "Choose a smaller one."
      : `Choose a smaller one, or an interval such as @every ${step}${unit}.`;
  return `The step of “${part}” is too large for the ${name}: it is at most ${most}. ${advice}`;
}

const longestDays = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function neverComes(days: string, months: string): boolean {
  const [, , day, month] = fields;
  const earliest = Math.min(...days.split(",").map((part) => rangeOf(part, day)!.first));
  return months.split(",").every((part) => {
    const { first, last, step } = rangeOf(part, month)!;
    return longestDays.every(
      (longest, index) =>
        index + 1 < first || index + 1 > last || (index + 1 - first) % (step || 1) !== 0 || longest < earliest,
    );
  });
}

function valueOf(text: string, { least, most, names }: Field): number | undefined {
  const named = names.indexOf(text.toLowerCase());
  if (named >= 0) return least + named;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}
