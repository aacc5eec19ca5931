import type { RemoteObserver } from "@anneal/connectors/remote/remote-observer";
import { assertNever } from "@anneal/core/errors";
import type { MetricMeter } from "@temporalio/common";

const requestDuration = "anneal_remote_request_duration_seconds";
const operationDuration = "anneal_remote_operation_duration_seconds";
const wait = "anneal_remote_wait_seconds";

/** Upper bounds, in seconds. */
export const remoteBuckets = {
  [requestDuration]: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  [operationDuration]: [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 600],
  [wait]: [1, 5, 15, 60, 300, 3600, 86_400],
};

/** Each is a series of its own; sources come and go while a worker runs. */
const maxHosts = 100;

/** An observer for a kind of source. A draft's host may be one that was typed wrong: it takes no other's place. */
export type ObserveRemote = (kind: string, of?: "source" | "draft") => RemoteObserver;

/**
 * Counts remote calls of all sources, for Prometheus. Labels are fixed words and the host that is asked: no workspace, no
 * source, no document and no path is told by them. Hosts of sources that are only tried are "unsaved" together; after the
 * first hundred others, further ones are "other".
 */
export function createRemoteMetrics(meter: MetricMeter): ObserveRemote {
  const requests = meter.createCounter(
    "anneal_remote_requests_total",
    "",
    "Requests to services of sources, by kind of source, host and class of the answer's status; none: no answer came.",
  );
  const durations = meter.createHistogram(requestDuration, "float", "", "From a request to its answer's first byte.");
  const operations = meter.createCounter(
    "anneal_remote_operations_total",
    "",
    "Exchanges with sources that speak no HTTP, by kind of source, host, operation and outcome: ok or an error's code.",
  );
  const operationDurations = meter.createHistogram(operationDuration, "float", "", "How long such an exchange took.");
  const received = meter.createCounter("anneal_remote_received_bytes_total", "", "What was read of contents.");
  const throttled = meter.createCounter(
    "anneal_remote_throttled_total",
    "",
    "Answers that say “not now”: 429, 502 to 504, or the service's own word for it.",
  );
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
  const hosts = new Set<string>();
  const nameSaved = (host: string) => {
    if (hosts.size < maxHosts) hosts.add(host);
    return hosts.has(host) ? host : "other";
  };

  return (kind, of = "source") => {
    const nameOf = of === "draft" ? () => "unsaved" : nameSaved;
    return (event) => {
      switch (event.type) {
        case "request": {
          const host = nameOf(event.host);
          requests.add(1, { kind, host, status: classOf(event.status) });
          durations.record(event.durationMs / 1000, { kind, host });
          return;
        }
        case "operation": {
          const { operation, outcome } = event;
          const host = nameOf(event.host);
          operations.add(1, { kind, host, operation, outcome });
          operationDurations.record(event.durationMs / 1000, { kind, host, operation });
          return;
        }
        case "received":
          received.add(event.bytes, { kind, host: nameOf(event.host) });
          return;
        case "throttled":
          throttled.add(1, { kind, host: nameOf(event.host) });
          return;
        case "wait":
          waits.record(event.waitMs / 1000, { kind, host: nameOf(event.host), cause: event.cause });
          return;
        case "renewal":
          renewals.add(1, { kind, outcome: event.ok ? "ok" : "failed" });
          return;
        default:
          assertNever(event);
      }
    };
  };
}

function classOf(status: number | null): string {
  return status === null ? "none" : `${Math.floor(status / 100)}xx`;
}
