const graceMs = 5_000;
const shared = globalThis as typeof globalThis & { annealShutdown?: AbortController };

/**
 * Aborted when the process is asked to end. A live stream never ends by itself, and the server waits for open requests
 * before it stops: without this a restart would wait for every open page. Pages that ask again over a connection that
 * they have kept would hold the old process up for ever, so it ends after a grace period whatever is open.
 */
export function shutdownSignal(): AbortSignal {
  if (!shared.annealShutdown) {
    const controller = new AbortController();
    shared.annealShutdown = controller;
    for (const signal of ["SIGTERM", "SIGINT"] as const)
      process.once(signal, () => {
        controller.abort();
        setTimeout(() => process.exit(0), graceMs).unref();
      });
  }
  return shared.annealShutdown.signal;
}
