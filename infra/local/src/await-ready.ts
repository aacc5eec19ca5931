import { setTimeout as sleep } from "node:timers/promises";
import { AnnealError } from "@anneal/core/errors";
import type { Supervised } from "./supervise.ts";

const pollMs = 150;

export type ReadyOptions = {
  /** As a person would say it: "PostgreSQL". */
  title: string;
  child: Supervised;
  /** Resolves to true when the service answers; a rejection counts as "not yet". */
  probe: () => Promise<boolean>;
  timeoutMs: number;
  /** Gives up: the service is stopped, and CANCELLED is thrown. */
  signal?: AbortSignal;
  /** Turns the end of the log into a better error than the general one. */
  classify?: (lines: readonly string[]) => AnnealError | undefined;
};

/**
 * Waits until a service that was just started answers. One that ends first, or does not answer in time, is stopped.
 * @throws AnnealError ENGINE_UNAVAILABLE (or what `classify` says), with the end of the log in its details
 */
export async function awaitReady(options: ReadyOptions): Promise<void> {
  const { title, child, probe, timeoutMs, signal } = options;
  const deadline = Date.now() + timeoutMs;
  while (child.state.status === "running") {
    if (await probe().catch(() => false)) return;
    if (signal?.aborted || Date.now() > deadline) break;
    await sleep(pollMs);
  }
  const ended = child.state.status !== "running";
  const lines = child.lastLines.slice(-40);
  await child.stop();
  if (signal?.aborted)
    throw new AnnealError("CANCELLED", `${title} was stopped while it was starting.`, {
      action: "Start the stack again.",
    });
  throw (
    options.classify?.(lines) ??
    new AnnealError(
      "ENGINE_UNAVAILABLE",
      ended ? `${title} ended while it was starting.` : `${title} did not answer within ${timeoutMs / 1000} s.`,
      {
        action: lines.length > 0 ? `Read the end of its log: ${lines.slice(-3).join(" / ")}` : "Start the stack again.",
        details: { log: lines },
      },
    )
  );
}

/** A probe that asks an HTTP address and wants any 2xx. */
export function answersHttp(url: string, init?: RequestInit): () => Promise<boolean> {
  return async () => {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  };
}
