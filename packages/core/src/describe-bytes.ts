const units = ["KiB", "MiB", "GiB", "TiB", "PiB"] as const;

const rounded = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });
const alignedTenths = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/**
 * A size in binary units, with a decimal below 100. One language everywhere, so that server and browser say the same.
 *
 * @param style "sentence": "1,000 bytes", "2 KiB"; "column", for figures under or after one another: "1,000 B", "2.0 KiB"
 */
export function describeBytes(sizeBytes: number, style: "sentence" | "column" = "sentence"): string {
  const power = Math.min(units.length, Math.floor(Math.log2(Math.max(1, Math.abs(sizeBytes))) / 10));
  if (power === 0) return style === "sentence" ? describeExactBytes(sizeBytes) : `${rounded.format(sizeBytes)} B`;
  const value = sizeBytes / 1024 ** power;
  const format = Math.abs(value) >= 100 ? rounded : style === "sentence" ? tenths : alignedTenths;
  return `${format.format(value)} ${units[power - 1]}`;
}

export function describeExactBytes(sizeBytes: number): string {
  return `${rounded.format(sizeBytes)} bytes`;
}
