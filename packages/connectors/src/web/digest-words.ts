import { hash } from "node:crypto";

/** The same for two pages that differ only in numbers, dates and the order of their lines. */
export function digestWords(text: string): string {
  const words = new Set(text.toLowerCase().match(/\p{L}+/gu) ?? []);
  for (const word of calendarWords) words.delete(word);
  return hash("sha256", [...words].sort().join(" "), "base64url").slice(0, 12);
}

/** Months and weekdays in the languages that many pages are in. */
const calendarWords = new Set(
  ["en", "de", "fr", "es", "it", "nl", "pt", "pl", "sv", "da", "cs"].flatMap((locale) =>
    [
      ...Array.from({ length: 12 }, (_, month) => new Date(Date.UTC(2026, month, 1))),
      ...Array.from({ length: 7 }, (_, day) => new Date(Date.UTC(2026, 0, 1 + day))),
    ].flatMap((day) =>
      (["long", "short"] as const).flatMap(
        (style) =>
          new Intl.DateTimeFormat(locale, { month: style, weekday: style, timeZone: "UTC" })
            .format(day)
            .toLowerCase()
            .match(/\p{L}+/gu) ?? [],
      ),
    ),
  ),
);
