import type { Progress } from "@anneal/core/loop/contract";
import { formatNumber } from "#lib/format.ts";
import { agree } from "#lib/stage-names.ts";

/** "1,200 of about 2,400 documents" */
export function describeDone({ done, total, isEstimate = false, unit }: Progress): string {
  const all = total === null ? "" : ` of ${isEstimate ? "about " : ""}${formatNumber(total)}`;
  return `${formatNumber(done)}${all} ${agree(total ?? done, unit)}`;
}
