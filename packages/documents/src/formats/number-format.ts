/** Excel's built-in formats that show a date, a time, or both; ECMA-376 part 1, 18.8.30. */
const builtInDates = new Set([
  14, 15, 16, 17, 18, 19, 20, 21, 22, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 45, 46, 47, 50, 51, 52, 53, 54, 55, 56,
  57, 58,
]);
const builtInCodes: Record<number, string> = {
  1: "0",
  2: "0.00",
  3: "#,##0",
  4: "#,##0.00",
  9: "0%",
  10: "0.00%",
};

/**
 * A cell's number as a person reads it: dates in ISO 8601, percentages with their sign, amounts with their currency.
 * Thousands separators are left out, so that a number is found however it was formatted.
 *
 * @param formatId numFmtId of the cell's style; `code` is its custom format code when it has one.
 * @param date1904 whether day 0 is 1904-01-01, as in workbooks from old Macs.
 */
export function formatNumber(value: number, formatId: number, code: string | undefined, date1904: boolean): string {
  const format = (code ?? builtInCodes[formatId] ?? "").split(";")[0]!;
  // 46 is "[h]:mm:ss".
  if (formatId === 46 || elapsed.test(format)) return formatElapsed(value);
  if (builtInDates.has(formatId) || isDateFormat(format)) return formatDate(value, date1904);
  const plain = format
    .replace(/"([^"]*)"/gu, "")
    .replace(/\[[^\]]*\]/gu, "")
    .replace(/\\./gu, "");
  const decimals = /[0#?]\.(0+)/u.exec(plain)?.[1]?.length;
  if (plain.includes("%")) return `${round(value * 100, decimals ?? 0)}%`;
  const currency = /\[\$([^\-\]]+)(?:-[^\]]*)?\]|"\s*([^"\w\s]{1,3}|[A-Z]{3})\s*"|([$€£¥])/u.exec(format);
  const symbol = currency?.[1] ?? currency?.[2] ?? currency?.[3] ?? "";
  const shown = round(value, symbol === "" ? undefined : decimals);
  if (symbol === "") return shown;
  const first = format.search(/[0#?]/u);
  const isPrefix = format.indexOf(symbol) < first;
  const space = /\w$/u.test(symbol) || !isPrefix ? " " : "";
  return isPrefix ? `${symbol.trim()}${space}${shown}` : `${shown}${space}${symbol.trim()}`;
}

/** 15 digits are what Excel keeps and shows; the rest of a double is noise. */
function round(value: number, decimals: number | undefined): string {
  if (decimals !== undefined) return value.toFixed(decimals);
  return String(Number(value.toPrecision(15)));
}

function isDateFormat(format: string): boolean {
  const letters = format
    .replace(/"[^"]*"/gu, "")
    .replace(/\\./gu, "")
    .replace(/\[(?!h+\]|m+\]|s+\])[^\]]*\]/giu, "");
  return !/general/iu.test(letters) && /[ymdhs]/iu.test(letters);
}

/** Hours, minutes or seconds that are counted on beyond a day: how long something took, and no time of day. */
const elapsed = /\[(?:h+|m+|s+)\]/iu;

function formatElapsed(days: number): string {
  const total = Math.round(Math.abs(days) * 86_400);
  const [hours, minutes, seconds] = [total / 3600, (total / 60) % 60, total % 60].map((part) =>
    String(Math.floor(part)).padStart(2, "0"),
  );
  return `${days < 0 ? "-" : ""}${hours}:${minutes}${seconds === "00" ? "" : `:${seconds}`}`;
}

function formatDate(serial: number, date1904: boolean): string {
  if (serial < 0 || serial > 2_958_466) return String(serial);
  // Serial 60 is 29 February 1900, which never was; before it the count is one day off.
  const days = date1904 ? serial + 1462 : serial < 60 ? serial + 1 : serial;
  const iso = new Date(Math.round((days - 25_569) * 86_400) * 1000).toISOString();
  const time = iso.slice(11, 19);
  if (serial < 1) return time.endsWith(":00") ? time.slice(0, 5) : time;
  const day = iso.slice(0, 10);
  if (time === "00:00:00") return day;
  return `${day} ${time.endsWith(":00") ? time.slice(0, 5) : time}`;
}
