import type { RemoteObserver } from "@anneal/connectors/remote/remote-observer";
import type { MetricMeter } from "@temporalio/common";

const requestDuration = "anneal_remote_request_duration_seconds";
const wait = "anneal_remote_wait_seconds";

/** Upper bounds, in seconds. */
export const remoteBuckets = {
  [requestDuration]: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  [wait]: [1, 5, 15, 60, 300, 3600, 86_400],
};

/**
 * Counts the calls of vendors' APIs by the kind of source, for Prometheus. Labels are fixed words: no workspace, no
 * source and no address is told by them.
 * @returns an observer for each kind of source
 */
export function createRemoteMetrics(meter: MetricMeter): (kind: string) => RemoteObserver {
  const requests = meter.createCounter(
    "anneal_remote_requests_total",
    "",
    "Requests to services of sources, by kind of source and class of the answer's status; none: no answer came.",
  );
  const durations = meter.createHistogram(requestDuration, "float", "", "From a request to its answer's first byte.");
  const waits = meter.createHistogram(
    wait,
    "float",
    "",
    "Waits before a request is repeated: told by the service, backoff of our own, or handed-over to the workflow.",
  );
  const renewals = meter.createCounter(
    "anneal_remote_token_renewals_total",
    "",
    "Credentials had anew because the service refused the ones before, by outcome: ok or failed.",
  );
  return (kind) => (event) => {
    switch (event.type) {
      case "request":
        requests.add(1, { kind, status: classOf(event.status) });
        durations.record(event.durationMs / 1000, { kind });
        return;
      case "wait":
        waits.record(event.waitMs / 1000, { kind, cause: event.cause });
        return;
      case "renewal":
        renewals.add(1, { kind, outcome: event.ok ? "ok" : "failed" });
    }
  };
}

function classOf(status: number | null): string {
  return status === null ? "none" : `${Math.floor(status / 100)}xx`;
}
