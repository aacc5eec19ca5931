import { AnnealError } from "@anneal/core/errors";

/**
 * What somebody else brings about, unless everything is stopped first: a stop must not wait for it.
 * @throws AnnealError CANCELLED when the signal aborts; what `waited` rejects with
 */
export function unlessAborted<Value>(waited: Value | Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const cancel = () =>
      reject(
        new AnnealError("CANCELLED", "The stack was stopped before the inference engine had its place.", {
          action: "Start the stack again.",
        }),
      );
    signal.addEventListener("abort", cancel, { once: true });
    if (signal.aborted) cancel();
    Promise.resolve(waited).then(resolve, reject);
  });
}
