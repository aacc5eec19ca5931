import { describeBytes } from "@anneal/core/describe-bytes";

/** How numbers become text, everywhere. Fixed locale, so that server and browser render the same characters. */
const locale = "en-GB";

const integer = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });

export const missing = "–";

/** 1234567 -> "1,234,567"; with `digits`, that many decimals. */
export function formatNumber(value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return missing;
  if (digits === 0) return integer.format(value);
  return value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** 1234567 -> "1.2M": for axes and tight spots; give the exact number in a title. */
export function formatCompact(value: number): string {
  return compact.format(value);
}

/** A value whose size is not known beforehand, such as a loss: three significant digits, scientific below 0.001. */
export function formatSignificant(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return missing;
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 0.001) return value.toExponential(1);
  if (size >= 1000) return integer.format(value);
  return String(Number(value.toPrecision(3)));
}

/** @param share 0 to 1 */
export function formatPercent(share: number | null | undefined, digits = 0): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return missing;
  return `${formatNumber(share * 100, digits)} %`;
}

/** Binary units: 1536 -> "1.5 KiB". */
export function formatBytes(sizeBytes: number | null | undefined): string {
  if (sizeBytes === null || sizeBytes === undefined || !Number.isFinite(sizeBytes)) return missing;
  return describeBytes(sizeBytes, "column");
}

/** Two units at most: "640 ms", "4.2 s", "3 min 05 s", "2 h 10 min", "3 d 4 h". */
export function formatDuration(durationMs: number | null | undefined): string {
  if (durationMs === null || durationMs === undefined || !Number.isFinite(durationMs)) return missing;
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
  if (durationMs < 10_000) return `${(durationMs / 1000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, "0")} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** 12.3, "documents" -> "12.3 documents/s"; below one a second it turns to a minute. */
export function formatRate(perSecond: number | null | undefined, unit: string): string {
  if (perSecond === null || perSecond === undefined || !Number.isFinite(perSecond)) return missing;
  if (perSecond > 0 && perSecond < 1) return `${formatSignificant(perSecond * 60)} ${unit}/min`;
  return `${formatSignificant(perSecond)} ${unit}/s`;
}

/** "just now", "4 min ago", "in 2 h", then the date. `now` is passed so that a page ticks as one. */
export function formatRelative(time: Date, now: Date): string {
  const deltaMs = now.getTime() - time.getTime();
  const size = Math.abs(deltaMs);
  if (size < 10_000) return "just now";
  const words =
    size < 60_000
      ? `${Math.round(size / 1000)} s`
      : size < 3_600_000
        ? `${Math.round(size / 60_000)} min`
        : size < 86_400_000
          ? `${Math.round(size / 3_600_000)} h`
          : size < 30 * 86_400_000
            ? `${Math.round(size / 86_400_000)} d`
            : null;
  if (words === null) return time.toLocaleDateString(locale, { day: "numeric", month: "short", year: "numeric" });
  return deltaMs >= 0 ? `${words} ago` : `in ${words}`;
}

/** "1 Dec 2026", in UTC, so that server and browser agree on the day. */
export function formatDate(time: Date): string {
  return time.toLocaleDateString(locale, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
}

export function formatDateTime(time: Date): string {
  return time.toLocaleString(locale, { dateStyle: "medium", timeStyle: "medium" });
}

/** 1, "document" -> "1 document"; 2 -> "2 documents". */
export function formatCount(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatNumber(count)} ${count === 1 ? singular : plural}`;
}
