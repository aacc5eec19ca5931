/**
 * A page that shows the day of the request changes every day without saying anything new. Dates that are the day on
 * which the page was fetched, in the usual spellings, with a time beside them, are taken out before two versions are compared; all other
 * dates are content.
 *
 * @param language the page's own, for the names of months; English is always known
 */
export function maskToday(text: string, now: Date, language: string | null): string {
  return /\d/.test(text) ? text.replace(patternOf(now, language ?? "en-US"), "#") : text;
}

/** Hostile pages may claim any number of languages. */
const maxPatterns = 20;
const patterns = new Map<string, RegExp>();

function patternOf(now: Date, language: string): RegExp {
  const key = `${Math.floor(now.getTime() / dayMs)} ${language}`;
  let pattern = patterns.get(key);
  if (pattern === undefined) {
    if (patterns.size >= maxPatterns) patterns.clear();
    patterns.set(key, (pattern = buildPattern(now, language)));
  }
  return pattern;
}

function buildPattern(now: Date, language: string): RegExp {
  const spellings = new Set<string>();
  // The site's clock may be a day ahead of or behind UTC.
  for (const shift of [-1, 0, 1]) {
    const day = new Date(now.getTime() + shift * dayMs);
    for (const spelling of spellingsOf(day, language)) spellings.add(spelling.toLowerCase());
  }
  // Longer ones first, so that a weekday goes with its date.
  const dates = [...spellings].sort((a, b) => b.length - a.length).map(escape);
  const before = String.raw`(?:${time}[\s,]*)?(?<![\p{L}\p{N}])`;
  const after = String.raw`(?![\p{L}\p{N}-])(?:(?:[\s,–-]|at|um|à)*${time})?`;
  return new RegExp(`${before}(?:${dates.join("|")})(?:T${time}|${after})`, "giu");
}

const dayMs = 24 * 60 * 60 * 1000;
const time = String.raw`\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s?[ap]\.?m\.?)?(?:\s?(?:Uhr|Z|UTC|GMT|[+-]\d{2}:?\d{2}))?`;

function spellingsOf(day: Date, language: string): string[] {
  const [year, month, date] = day.toISOString().slice(0, 10).split("-") as [string, string, string];
  const [shortMonth, shortDate] = [String(Number(month)), String(Number(date))];
  const numbers = ["-", "/", "."].flatMap((mark) => [
    [year, month, date].join(mark),
    [date, month, year].join(mark),
    [month, date, year].join(mark),
    [shortDate, shortMonth, year].join(mark),
    [shortMonth, shortDate, year].join(mark),
  ]);
  const words = [...new Set(["en-US", "en-GB", language])].flatMap((locale) =>
    (["full", "long", "medium"] as const).map((dateStyle) => format(day, locale, dateStyle)),
  );
  return [...numbers, ...words];
}

function format(day: Date, locale: string, dateStyle: "full" | "long" | "medium"): string {
  try {
    return new Intl.DateTimeFormat(locale, { dateStyle, timeZone: "UTC" }).format(day);
  } catch {
    // The page's own idea of a language tag.
    return new Intl.DateTimeFormat("en-US", { dateStyle, timeZone: "UTC" }).format(day);
  }
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
