import type { CapabilityCheck } from "../connector.ts";
import { joinNames, sampleCount } from "../preview.ts";

/**
 * How changes and deletions of tables or collections are found with these settings.
 * @param relations by name, and whether a watermark is named
 * @param unit "row" or "document"
 */
export function describeChanges(
  relations: readonly { name: string; watermark: unknown }[],
  unit: "row" | "document",
): CapabilityCheck[] {
  if (relations.length === 0) return [];
  const whole = relations.filter(({ watermark }) => watermark === null);
  const everything = `Each sync reads every ${unit}, and stores what is new or other.`;
  const newer = `Each sync reads ${unit}s whose watermark is new; of the others it lists keys, watermarks and owners.`;
  const changes =
    whole.length === relations.length
      ? everything
      : whole.length === 0
        ? newer
        : `${newer} Of ${nameSome(whole)} it reads every ${unit}: no watermark is named.`;
  const message = `${changes} What is gone is found by the keys, and hidden here.`;
  return [{ capability: "changes", status: "ok", message }];
}

function nameSome(relations: readonly { name: string }[]): string {
  const names = relations.slice(0, sampleCount).map(({ name }) => `"${name}"`);
  const more = relations.length - names.length;
  return joinNames(more > 0 ? [...names, `${more} more`] : names);
}
