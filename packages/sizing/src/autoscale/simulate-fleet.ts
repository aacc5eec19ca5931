import { FleetRoster, type Policy } from "./fleet-roster.ts";
import { timelinePoint, type FleetRun, type FleetSettings, type TimelinePoint } from "./fleet-run.ts";
import { requestPriority } from "./request-priority.ts";
import { durationOf, type RequestTrace } from "./request-trace.ts";
import { createResults, SimulatedReplica, type RequestResults } from "./simulated-replica.ts";

/**
 * Plays the trace request by request against a fleet that `policy` sizes. A replica costs from its start to the end of its
 * drain, at most to the last request; all requests are served to the end, also those that come to a fleet that is too
 * small. Each goes to the replica with the least work before it.
 */
export function simulateFleet(
  trace: RequestTrace,
  settings: FleetSettings,
  policy: Policy,
): FleetRun & { results: RequestResults } {
  const { profile, limits, intervalSeconds } = settings;
  const results = createResults(trace.arrivals.length);
  const longestOutput = trace.outputTokens.reduce((most, tokens) => Math.max(most, tokens), 1);
  const roster = new FleetRoster(
    settings,
    (id, startedAt, readyAt) =>
      new SimulatedReplica({ id, startedAt, readyAt, profile, limits, trace, results, longestOutput }),
  );
  const timeline: TimelinePoint[] = [];
  // Seconds of work before a request that comes now would have its first token, as far as a gateway can tell.
  const perPromptToken = 1 / profile.prefillTokensPerSecond;
  const perSequence = profile.decodePerSequenceMs / 1000;
  /** Those that take requests now; kept because it is asked for at every request and changes rarely. */
  let serving: SimulatedReplica[] = [];
  let servingUntil = 0;
  const findServing = (now: number) => {
    serving = roster.members.filter(({ draining, readyAt }) => !draining && readyAt <= now);
    servingUntil = roster.members.reduce(
      (next, { draining, readyAt }) => (!draining && readyAt > now && readyAt < next ? readyAt : next),
      Infinity,
    );
  };
  findServing(0);
  const leastLoaded = (now: number): SimulatedReplica | undefined => {
    if (now >= servingUntil) findServing(now);
    let best: SimulatedReplica | undefined;
    let least = Infinity;
    for (const replica of serving) {
      if (replica.clock < now) replica.advance(now);
      const backlog = replica.pendingTokens * perPromptToken + replica.running * perSequence;
      if (backlog < least) {
        best = replica;
        least = backlog;
      }
    }
    return best;
  };
  const dispatch = (request: number, now: number): boolean => {
    const target = leastLoaded(now);
    if (!target) return false;
    const facts = {
      pendingPromptTokens: target.pendingTokens,
      promptTokens: trace.promptTokens[request]!,
      waitedMs: 1000 * (now - trace.arrivals[request]!),
    };
    target.enqueue(request, settings.order === "late-last" && requestPriority(facts, profile, limits) > 0);
    return true;
  };
  const decide = (now: number) => {
    for (const replica of roster.members) if (replica.readyAt <= now) replica.advance(now);
    roster.release(now);
    const observation = roster.observe(now, (replica) => replica.scrape(intervalSeconds));
    timeline.push(timelinePoint(observation, now));
    roster.apply(now, policy(observation));
    findServing(now);
  };

  /** Requests that come while nothing serves wait at the gateway. */
  const held: number[] = [];
  let tick = intervalSeconds;
  for (let request = 0; request < trace.arrivals.length; request++) {
    const at = trace.arrivals[request]!;
    for (; tick <= at; tick += intervalSeconds) {
      decide(tick);
      while (held.length > 0 && dispatch(held[0]!, tick)) held.shift();
    }
    if (!dispatch(request, at)) held.push(request);
  }
  const gpuHours = (roster.replicaSeconds(durationOf(trace)) * profile.gpus) / 3600;
  // Whoever still waits at the gateway is served by the next replica that is up; after the last request none is paid for.
  const next = roster.members.toSorted((left, right) => left.readyAt - right.readyAt)[0];
  for (const request of held) next?.enqueue(request);
  for (const replica of roster.members) replica.advance(Infinity);
  return { ...summarise(results, settings), gpuHours, ...roster.counts, timeline, results };
}

function summarise(
  results: RequestResults,
  { limits }: FleetSettings,
): Pick<FleetRun, "sloAttainment" | "requests" | "lateRequests" | "latency"> {
  const requests = results.ttftMs.length;
  let late = 0;
  for (let i = 0; i < requests; i++) {
    // What was never finished has no number, and is late.
    if (!(results.ttftMs[i]! <= limits.ttftMs && results.tpotMs[i]! <= limits.tpotMs)) late++;
  }
  return {
    sloAttainment: requests === 0 ? 1 : 1 - late / requests,
    requests,
    lateRequests: late,
    latency: {
      ttftP50Ms: approximateQuantile(results.ttftMs, 0.5),
      ttftP99Ms: approximateQuantile(results.ttftMs, 0.99),
      tpotP99Ms: approximateQuantile(results.tpotMs, 0.99),
    },
  };
}

/** To half a percent, by counting: sorting as many values at every run would take longer than the run. */
function approximateQuantile(values: Float64Array, quantile: number): number {
  const perUnit = 200;
  const counts = new Uint32Array(perUnit * 20);
  for (const value of values)
    counts[Math.max(0, Math.min(counts.length - 1, Math.floor(Math.log(value + 1) * perUnit)))]!++;
  let below = 0;
  const bin = counts.findIndex((count) => (below += count) >= quantile * values.length);
  return bin < 0 ? 0 : Math.exp((bin + 0.5) / perUnit) - 1;
}
