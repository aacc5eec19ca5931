import process from "node:process";

/** Aborted by the first Ctrl-C or termination; a second one does not cut the ending short. */
export function abortOnSignal(onStop: () => void): AbortSignal {
  const controller = new AbortController();
  const handle = () => {
    if (controller.signal.aborted) return;
    onStop();
    controller.abort();
  };
  process.on("SIGINT", handle);
  process.on("SIGTERM", handle);
  return controller.signal;
}
