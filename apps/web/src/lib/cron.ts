/** The five fields as Temporal reads them; months and weekdays may be named. */
const fields = [
  { name: "minute", least: 0, most: 59, names: [] },
  { name: "hour", least: 0, most: 23, names: [] },
  { name: "day of the month", least: 1, most: 31, names: [] },
  {
    name: "month",
    least: 1,
    most: 12,
    names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
  },
  { name: "weekday", least: 0, most: 7, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
] as const;

type Field = { name: string; least: number; most: number; names: readonly string[] };

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
    const part = given[index]!.split(",").find((each) => !fits(each, field));
    if (part !== undefined)
      return `${part === "" ? "Nothing" : `“${part.slice(0, 40)}”`} is no ${field.name}: it is a number from ${field.least} to ${field.most}, a range such as ${field.least}-${field.most}, or *.`;
  }
  return undefined;
}

// "*", "5", "1-5", and each of them with a step, as in "1-30/5".
function fits(part: string, field: Field): boolean {
  const match = /^(?:\*|(\w+)(?:-(\w+))?)(?:\/(\d{1,3}))?$/u.exec(part);
  if (!match) return false;
  const [, from, to, step] = match;
  if (step !== undefined && Number(step) === 0) return false;
  if (from === undefined) return true;
  const first = valueOf(from, field);
  const last = to === undefined ? first : valueOf(to, field);
  return first !== undefined && last !== undefined && first <= last;
}

function valueOf(text: string, { least, most, names }: Field): number | undefined {
  const named = names.indexOf(text.toLowerCase());
  if (named >= 0) return least + named;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}
