import { AnnealError } from "@anneal/core/errors";
import { Runtime, type RuntimeOptions } from "@temporalio/worker";
import { remoteBuckets } from "./remote-metrics.ts";

/**
 * Temporal's runtime, once for the process.
 * @param metricsAddress where it answers Prometheus at `/metrics`, with Temporal's own numbers beside ours. Nobody is asked
 * who they are there: it belongs on loopback or a private network. Undefined: nothing listens, and nothing is counted.
 * @throws AnnealError PORT_TAKEN
 */
export function installRuntime(options: RuntimeOptions, metricsAddress: string | undefined): Runtime {
  if (metricsAddress === undefined) return Runtime.install(options);
  const prometheus = { bindAddress: metricsAddress, histogramBucketOverrides: remoteBuckets };
  const telemetryOptions = { ...options.telemetryOptions, metrics: { prometheus } };
  try {
    return Runtime.install({ ...options, telemetryOptions });
  } catch (cause) {
    throw new AnnealError("PORT_TAKEN", `The worker cannot answer Prometheus at ${metricsAddress}.`, {
      action:
        "Set ANNEAL_WORKER_METRICS_ADDRESS to an address of this machine with a free port, another for each worker.",
      cause,
    });
  }
}
