/** A time as a service writes it, so that it can be sent back in the same form. */
export type ServiceTime = { timeMs: number; form: "iso" | "date" | "seconds" | "milliseconds" };

/** Seconds reach this in the year 5138; milliseconds were here in March 1973. */
const firstMilliseconds = 1e11;
/** A number below is a counter or a year, and no time that documents have (1973). */
const firstSeconds = 1e8;

/** @returns null for what is no time */
export function parseServiceTime(value: unknown): ServiceTime | null {
  if (typeof value === "number" || (typeof value === "string" && /^\d+(?:\.\d+)?$/.test(value.trim()))) {
    const number = Number(value);
    if (!(number >= firstSeconds) || number >= 1e14) return null;
    if (number >= firstMilliseconds) return { timeMs: number, form: "milliseconds" };
    return { timeMs: number * 1000, form: "seconds" };
  }
  // Other ways to write a date mean different days in different countries.
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\d/.test(value.trim())) return null;
  const timeMs = Date.parse(value.trim());
  if (Number.isNaN(timeMs)) return null;
  return { timeMs, form: value.trim().length === 10 ? "date" : "iso" };
}

/** Rounded down: it is asked for what came since. */
export function formatServiceTime({ timeMs, form }: ServiceTime): string {
  switch (form) {
    case "iso":
      return new Date(timeMs).toISOString();
    case "date":
      return new Date(timeMs).toISOString().slice(0, 10);
    case "seconds":
      return String(Math.floor(timeMs / 1000));
    case "milliseconds":
      return String(Math.floor(timeMs));
  }
}
