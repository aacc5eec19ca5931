import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits until the gauges add up to 0, the page no longer answers (then there is nothing to wait for), or `boundMs` is
 * over.
 * @returns whether it became idle
 */
export async function awaitIdle(url: string, gauges: readonly string[], boundMs: number): Promise<boolean> {
  const deadline = Date.now() + boundMs;
  while (Date.now() < deadline) {
    const text = await fetch(url, { signal: AbortSignal.timeout(2000) }).then(
      (response) => (response.ok ? response.text() : null),
      (error: unknown) => (isTimeout(error) ? undefined : null),
    );
    if (text === null) return true;
    if (text !== undefined && sumGauges(text, gauges) === 0) return true;
    await sleep(Math.min(200, Math.max(1, deadline - Date.now())));
  }
  return false;
}

/**
 * The sum over all series of these names in a page of Prometheus' text format, "name{labels} value [time]". Names that
 * are missing count 0, so that an engine without such a gauge is not waited for.
 */
export function sumGauges(page: string, gauges: readonly string[]): number {
  return page
    .split("\n")
    .map((line) => /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{.*\})?\s+(\S+)/.exec(line))
    .filter((match) => match !== null && gauges.includes(match[1] ?? ""))
    .reduce((sum, match) => sum + (Number(match?.[2]) || 0), 0);
}

/** A busy engine may answer late; only one that refuses the connection is gone. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === "TimeoutError";
}
