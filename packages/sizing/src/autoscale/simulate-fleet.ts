import { FleetRoster, type Policy } from "./fleet-roster.ts";
import { timelinePoint, type FleetRun, type FleetSettings, type TimelinePoint } from "./fleet-run.ts";
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
  const leastLoaded = (now: number): SimulatedReplica | undefined => {
    let best: SimulatedReplica | undefined;
    let least = Infinity;
    for (const replica of roster.members) {
      if (replica.draining || replica.readyAt > now) continue;
      replica.advance(now);
      const backlog = replica.backlogSeconds;
      if (backlog < least) [best, least] = [replica, backlog];
    }
    return best;
  };
  // Half the limit: the steps of the others, and what the estimate does not know, take the rest.
  const longestWait = settings.order === "late-last" ? limits.ttftMs / 2000 : Infinity;
  const dispatch = (request: number, now: number): boolean => {
    const target = leastLoaded(now);
    if (!target) return false;
    const own = trace.promptTokens[request]! / profile.prefillTokensPerSecond;
    target.enqueue(request, now - trace.arrivals[request]! + target.prefillSeconds + own > longestWait);
    return true;
  };
  const decide = (now: number) => {
    for (const replica of roster.members) if (replica.readyAt <= now) replica.advance(now);
    roster.release(now);
    const observation = roster.observe(now, (replica) => replica.scrape(intervalSeconds));
    timeline.push(timelinePoint(observation, now));
    roster.apply(now, policy(observation));
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
  const ttft = results.ttftMs.toSorted();
  const tpot = results.tpotMs.toSorted();
  const at = (sorted: Float64Array, share: number) => sorted[Math.min(requests - 1, Math.floor(share * requests))] ?? 0;
  return {
    sloAttainment: requests === 0 ? 1 : 1 - late / requests,
    requests,
    lateRequests: late,
    latency: { ttftP50Ms: at(ttft, 0.5), ttftP99Ms: at(ttft, 0.99), tpotP99Ms: at(tpot, 0.99) },
  };
}
