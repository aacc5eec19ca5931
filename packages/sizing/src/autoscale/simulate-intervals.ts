import { FleetRoster, type FleetMember, type Policy } from "./fleet-roster.ts";
import { timelinePoint, type FleetRun, type FleetSettings, type TimelinePoint } from "./fleet-run.ts";
import { loadByInterval, type IntervalLoad } from "./interval-load.ts";
import { sustainableLoad } from "./replica-profile.ts";

/**
 * What a replica serves in time at most, above what it sustains: large prompts are put last first, so fewer requests are
 * late than work. Fitted to `simulateFleet` on fixed and moving fleets of 6 to 30 replicas.
 */
const stretch = 1.05;

/**
 * The same fleet as `simulateFleet`, an interval at a time instead of a request at a time: load beyond what the fleet serves
 * is late. It serves for traces of weeks, and for finding settings that the other then confirms; it knows no latencies.
 */
export function simulateIntervals(load: IntervalLoad, settings: FleetSettings, policy: Policy): FleetRun {
  const { profile, limits, intervalSeconds } = settings;
  const work = loadByInterval(load, profile);
  const shape = meanShape(load);
  const capacity = Math.min(0.98, sustainableLoad(profile, limits, shape) * stretch);
  const kvTokens = shape.promptTokens + shape.outputTokens / 2;
  const roster = new FleetRoster<FleetMember & { inFlight: number }>(settings, (id, startedAt, readyAt) => ({
    id,
    startedAt,
    readyAt,
    draining: false,
    inFlight: 0,
  }));
  const timeline: TimelinePoint[] = [];
  let requests = 0;
  let lateRequests = 0;
  /** Work that came in time to be in time, and work that is late already, in replica-seconds. */
  let backlog = 0;
  let lateBacklog = 0;
  for (let k = 0; k < work.length; k++) {
    const now = k * intervalSeconds;
    const end = now + intervalSeconds;
    const serving = roster.members.filter(({ readyAt, draining }) => readyAt <= now && !draining);
    const able = capacity * serving.length * intervalSeconds;
    const arrived = work[k]! * intervalSeconds;
    const waited = settings.order === "arrival" ? serveInOrder() : serveLateLast();
    const late = load.requests[k]! * waited.lateShare;
    requests += load.requests[k]!;
    lateRequests += late;
    const busy = Math.min(0.97, serving.length === 0 ? 0 : waited.served / (serving.length * intervalSeconds));
    // Little's law with the time a token takes at this load: base / (1 - load).
    const rate = arrived === 0 ? 0 : ((waited.served / arrived) * load.requests[k]!) / intervalSeconds;
    const tokenSeconds = profile.decodeBaseMs / 1000 / (1 - busy);
    const share = serving.length === 0 ? 0 : 1 / serving.length;
    const running = Math.min(profile.maxBatch, rate * share * shape.outputTokens * tokenSeconds);
    for (const member of roster.members) {
      // A drain lasts as long as the requests that were running when it began.
      if (member.draining)
        member.inFlight = Math.max(
          0,
          member.inFlight - (intervalSeconds / tokenSeconds / Math.max(1, shape.outputTokens)) * running,
        );
      else member.inFlight = member.readyAt <= now ? running : 0;
      if (member.inFlight < 1) member.inFlight = member.draining ? 0 : member.inFlight;
    }
    const waiting = ((backlog + lateBacklog) / Math.max(arrived, 1e-9)) * load.requests[k]! * share;
    const tokenRate = rate * share;
    const observation = roster.observe(end, (member) => {
      const takes = !member.draining && member.readyAt <= now;
      return {
        running: member.inFlight,
        waiting: takes ? waiting : 0,
        kvUsage: Math.min(1, (member.inFlight * kvTokens) / profile.kvTokens),
        promptTokensPerSecond:
          takes && load.requests[k]! > 0 ? tokenRate * (load.promptTokens[k]! / load.requests[k]!) : 0,
        outputTokensPerSecond:
          takes && load.requests[k]! > 0 ? tokenRate * (load.outputTokens[k]! / load.requests[k]!) : 0,
        firstTokens: takes ? rate * share * intervalSeconds : 0,
        lateFirstTokens: takes ? late * share : 0,
        ttftP99Ms: null,
        tpotP99Ms: tokenSeconds * 1000,
      };
    });
    timeline.push(timelinePoint(observation, end));
    if (end <= load.durationSeconds) {
      roster.release(end);
      roster.apply(end, policy(observation));
    }

    function serveLateLast(): { served: number; lateShare: number } {
      // Half the limit may wait into the next interval; what is beyond it is late and is served when there is room.
      const patience = (capacity * serving.length * limits.ttftMs) / 2000;
      const inTime = Math.min(able, backlog + arrived);
      const left = backlog + arrived - inTime;
      backlog = Math.min(left, patience);
      const tooMuch = left - backlog;
      const old = Math.min(able - inTime, lateBacklog);
      lateBacklog += tooMuch - old;
      return { served: inTime + old, lateShare: arrived === 0 ? 0 : Math.min(1, tooMuch / arrived) };
    }

    function serveInOrder(): { served: number; lateShare: number } {
      const patience = (capacity * serving.length * limits.ttftMs) / 1000;
      const before = backlog;
      const served = Math.min(able, backlog + arrived);
      backlog += arrived - served;
      const over = Math.max(0, backlog - patience);
      const lateShare =
        before > patience && backlog > patience
          ? 1
          : backlog === before
            ? 0
            : Math.min(1, over / Math.abs(backlog - before));
      return { served, lateShare: Math.min(1, lateShare) };
    }
  }
  return {
    sloAttainment: requests === 0 ? 1 : 1 - lateRequests / requests,
    requests,
    lateRequests,
    gpuHours: (roster.replicaSeconds(load.durationSeconds) * profile.gpus) / 3600,
    ...roster.counts,
    latency: null,
    timeline,
  };
}

function meanShape(load: IntervalLoad): { promptTokens: number; outputTokens: number } {
  const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);
  const requests = Math.max(1, total(load.requests));
  return { promptTokens: total(load.promptTokens) / requests, outputTokens: total(load.outputTokens) / requests };
}
