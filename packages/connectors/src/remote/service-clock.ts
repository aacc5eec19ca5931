/**
 * The time that a service's own clock shows in an answer, or ours where it tells none.
 * @param headers of the answer
 */
export function clockOf(headers: { get(name: string): string | null }, oursMs = Date.now()): number {
  const timeMs = Date.parse(headers.get("date") ?? "");
  return Number.isNaN(timeMs) ? oursMs : timeMs;
}
