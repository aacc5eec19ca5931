import type { WorkloadBrief } from "./brief.ts";
import { meanResidentTokens, residentTokensOf } from "./resident-tokens.ts";
import { workloadProfiles, type WorkloadProfile } from "./workload-profile.ts";

/** A workload with everything that its brief left open filled in. */
export type Workload = {
  name: string;
  profile: WorkloadProfile;
  online: boolean;
  /** Requests that are being answered in the worst minute, as expected; null where only a rate is known. */
  inFlightExpected: number | null;
  /** With the safety factor: what the plan serves within its limits. */
  inFlightPlanned: number | null;
  /** What its KV cache must have room for: as many, or every user of a known number, should all of them ask at once. */
  inFlightAtOnce: number | null;
  /** Documents or requests a second, as planned for; null where the load is given as requests in flight. */
  requestsPerSecond: number | null;
  /** Longest request with its answer. */
  contextTokens: number;
  inputTokens: number;
  outputTokens: number;
  /** What a request in flight keeps in the KV cache on average. */
  residentTokens: number;
  prefixCacheHitRate: number;
  limits: { ttftMs: number | null; tokensPerSecondPerUser: number | null; firstSoundMs: number | null };
  /** Load by hour of the day as a share of the peak. */
  dailyLoad: readonly number[];
  /** How these numbers came about, a sentence each. */
  reasons: readonly string[];
};

/** Of the people with access to an internal tool, those at work with it in its busiest minute: 10 to 20% is usual. */
const defaultActiveShare = 0.15;
/** On a load that was derived from heads or users and shares, each of them known to a factor of two at best. */
const defaultSafety = 3;

/** An office: ten hours of work with a dip at noon, a tenth of the peak at night. */
const officeHours = [
  0.1, 0.1, 0.1, 0.1, 0.1, 0.15, 0.3, 0.6, 0.9, 1, 1, 0.9, 0.75, 0.9, 1, 0.95, 0.8, 0.6, 0.4, 0.25, 0.2, 0.15, 0.1, 0.1,
];
/** Users around the clock, most of them in nearby time zones. */
const aroundTheClock = Array.from({ length: 24 }, (_, hour) => 0.65 + 0.35 * Math.cos(((hour - 15) / 12) * Math.PI));
const evenly = Array.from({ length: 24 }, () => 1);

/**
 * Share of a user's time with a call in flight, when one request sets off `calls` of them in a row: the calls take their
 * time one after another, the user's pause stays as it was. From s = call / (call + pause) for one call.
 */
export function inFlightShareOf(singleCallShare: number, calls: number): number {
  return (calls * singleCallShare) / (calls * singleCallShare + 1 - singleCallShare);
}

/** Fills in a workload: how many requests are in flight at the peak, how long they are, what they may take. */
export function planConcurrency(brief: WorkloadBrief, dailyLoad?: readonly number[]): Workload {
  const profile: WorkloadProfile =
    workloadProfiles[brief.profile ?? (brief.documentsPerHour === undefined ? "chat" : "batch")];
  const load = readLoad(brief, profile);
  const lengths = readLengths(brief, profile);
  return {
    name: brief.name ?? profile.name,
    profile,
    online: profile.online,
    inFlightExpected: load.expected,
    inFlightPlanned: load.planned,
    inFlightAtOnce: load.atOnce,
    requestsPerSecond: load.requestsPerSecond,
    ...lengths,
    prefixCacheHitRate: brief.prefixCacheHitRate ?? profile.prefixCacheHitRate,
    limits: {
      ttftMs: brief.slos?.ttftMs ?? profile.ttftMs,
      tokensPerSecondPerUser: brief.slos?.tokensPerSecondPerUser ?? profile.tokensPerSecondPerUser,
      firstSoundMs: brief.slos?.firstSoundMs ?? profile.firstSoundMs,
    },
    dailyLoad: dailyLoad ?? (!profile.online ? evenly : brief.headCount === undefined ? aroundTheClock : officeHours),
    reasons: [...load.reasons, lengths.reason],
  };
}

type Load = {
  expected: number | null;
  planned: number | null;
  atOnce: number | null;
  requestsPerSecond: number | null;
  reasons: string[];
};

function readLoad(brief: WorkloadBrief, profile: WorkloadProfile): Load {
  const { headCount, peakUsers, requestsInFlight, documentsPerHour } = brief;
  const calls = brief.callsPerTask ?? profile.callsPerTask;
  if (documentsPerHour !== undefined) {
    const requestsPerSecond = (documentsPerHour / 3600) * calls * (brief.safety ?? 1);
    const reason = `${formatCount(documentsPerHour)} documents an hour are ${formatCount(requestsPerSecond)} requests/s.`;
    return { expected: null, planned: null, atOnce: null, requestsPerSecond, reasons: [reason] };
  }
  if (requestsInFlight !== undefined) {
    const planned = Math.ceil(requestsInFlight * (brief.safety ?? 1));
    const reason = `${requestsInFlight} requests in flight at the peak: ${planned} are planned for.`;
    return { expected: requestsInFlight, planned, atOnce: planned, requestsPerSecond: null, reasons: [reason] };
  }
  const active = headCount === undefined ? 1 : (brief.activeShare ?? defaultActiveShare);
  const users = (peakUsers ?? headCount ?? 1) * active;
  const single = brief.inFlightShare ?? profile.inFlightShare;
  const share = inFlightShareOf(single, calls);
  const expected = users * share;
  const safety = brief.safety ?? defaultSafety;
  // More requests than users there cannot be.
  const planned = Math.max(1, Math.ceil(Math.min(users, expected * safety)));
  const atOnce = peakUsers === undefined ? planned : Math.max(planned, peakUsers);
  const who =
    headCount === undefined
      ? `${peakUsers} users at once`
      : `${headCount} people x ${percent(active)} active at the peak`;
  const reasons = [
    `${who} x ${percent(share)} of their time with a request in flight = ${formatCount(expected)} in flight; ` +
      `x ${safety} for safety = ${planned} planned for.`,
  ];
  if (calls > 1) {
    reasons.push(
      `A task of ${calls} calls in a row keeps a user's request in flight ${percent(share)} of the time instead of ` +
        `${percent(single)}: ${(share / single).toFixed(1)} times the load of single questions.`,
    );
  }
  if (atOnce > planned) {
    reasons.push(
      `The KV cache has room for all ${atOnce} at once, so that nobody is put off when they all ask in one moment.`,
    );
  }
  return { expected, planned, atOnce, requestsPerSecond: null, reasons };
}

function readLengths(brief: WorkloadBrief, profile: WorkloadProfile) {
  const { inputTokens, outputTokens } = brief;
  if (inputTokens !== undefined) {
    const output = outputTokens ?? profile.outputTokens;
    const contextTokens = brief.context ?? Math.max(profile.context, 2 ** Math.ceil(Math.log2(inputTokens + output)));
    const residentTokens = residentTokensOf(inputTokens, output);
    const reason = `A request holds ${Math.round(residentTokens)} tokens of cache on average: its prompt of ${inputTokens} and half of its answer of ${output}.`;
    return { contextTokens, inputTokens, outputTokens: output, residentTokens, reason };
  }
  const contextTokens = Math.max(brief.context ?? profile.context, (outputTokens ?? 0) + 1);
  const output = outputTokens ?? Math.min(profile.outputTokens, Math.floor(contextTokens / 2));
  // Beside a long answer the mean prompt is what is left, and never nothing.
  const residentTokens = Math.max(meanResidentTokens(contextTokens), residentTokensOf(1, output));
  const reason =
    `Of a context of ${contextTokens} tokens a request holds ${Math.round(residentTokens)} on average ` +
    `(${percent(residentTokens / contextTokens)}; 2 x context^0.75, as published traces and worked cases show): ` +
    "state inputTokens and outputTokens where they are known.";
  const prompt = Math.max(1, Math.round(residentTokens - output / 2));
  return {
    contextTokens,
    inputTokens: Math.min(prompt, contextTokens - output),
    outputTokens: output,
    residentTokens,
    reason,
  };
}

function percent(value: number): string {
  return `${Number((100 * value).toFixed(value < 0.1 ? 1 : 0))}%`;
}

function formatCount(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
