import { quantileOf, vllmTpotBounds, vllmTtftBounds } from "./histogram.ts";
import type { ReplicaMetrics } from "./observation.ts";
import type { LatencyLimits, ReplicaProfile } from "./replica-profile.ts";
import type { RequestTrace } from "./request-trace.ts";

/** What became of each request, by its place in the trace. Times are NaN until they are known. */
export type RequestResults = {
  ttftMs: Float64Array;
  tpotMs: Float64Array;
  /** Links requests of one replica that finish in the same step; -1 ends the chain. */
  nextInStep: Int32Array;
};

export function createResults(requests: number): RequestResults {
  return {
    ttftMs: new Float64Array(requests).fill(Number.NaN),
    tpotMs: new Float64Array(requests).fill(Number.NaN),
    nextInStep: new Int32Array(requests).fill(-1),
  };
}

export type SimulatedReplicaOptions = {
  id: number;
  startedAt: number;
  readyAt: number;
  profile: ReplicaProfile;
  limits: LatencyLimits;
  trace: RequestTrace;
  results: RequestResults;
  /** Of all requests, in tokens. */
  longestOutput: number;
};

/**
 * An engine with continuous batching and chunked prefill, step by step, as vLLM's scheduler works: every step decodes one
 * token of each running sequence and fills what is left of `stepTokens` with prompts, first come first served; those of
 * low priority (`--scheduling-policy priority`) after all others. A request is admitted when the batch and the KV cache
 * have room for all of its tokens, so none is ever preempted.
 */
export class SimulatedReplica {
  readonly id: number;
  readonly startedAt: number;
  readonly readyAt: number;
  draining = false;
  /** End of the last step, in seconds. */
  clock: number;
  running = 0;
  /** Tokens of prompts that are not computed yet, without those of low priority. */
  pendingTokens = 0;

  readonly #profile: ReplicaProfile;
  readonly #limits: LatencyLimits;
  readonly #trace: RequestTrace;
  readonly #results: RequestResults;
  #queue: number[] = [];
  #queueHead = 0;
  #deferred: number[] = [];
  #deferredHead = 0;
  /** Prompt tokens of the first in the queue that are computed already; above 0 it holds its place in the cache. */
  #headDone = 0;
  #kvUsed = 0;
  #step = 0;
  /** First request that finishes in a step, by the step's number modulo the length. */
  readonly #finishing: Int32Array;
  #promptTokens = 0;
  #outputTokens = 0;
  #lateFirstTokens = 0;
  #ttftCounts = vllmTtftBounds.map(() => 0);
  #tpotCounts = vllmTpotBounds.map(() => 0);

  constructor(options: SimulatedReplicaOptions) {
    this.id = options.id;
    this.startedAt = options.startedAt;
    this.readyAt = options.readyAt;
    this.#profile = options.profile;
    this.#limits = options.limits;
    this.#trace = options.trace;
    this.#results = options.results;
    this.clock = options.readyAt;
    this.#finishing = new Int32Array(2 ** Math.ceil(Math.log2(options.longestOutput + 2))).fill(-1);
  }

  get waiting(): number {
    return this.#queue.length - this.#queueHead + this.#deferred.length - this.#deferredHead;
  }

  get inFlight(): number {
    return this.running + this.waiting;
  }

  enqueue(request: number, lowPriority = false): void {
    if (lowPriority) {
      this.#deferred.push(request);
      return;
    }
    this.#queue.push(request);
    this.pendingTokens += this.#trace.promptTokens[request]!;
  }

  /** Works until `time`; a step that began before it is finished. */
  advance(time: number): void {
    while (this.clock < time) {
      if (this.inFlight === 0) {
        this.clock = time;
        return;
      }
      this.#runStep();
    }
  }

  #runStep(): void {
    const { prefillTokensPerSecond, decodeBaseMs, decodePerSequenceMs, stepTokens } = this.#profile;
    const decoding = this.running;
    let budget = Math.max(1, stepTokens - decoding);
    let chunk = 0;
    const firstDone = this.#queueHead;
    while (budget > 0 && this.#hasNext()) {
      const request = this.#queue[this.#queueHead]!;
      const prompt = this.#trace.promptTokens[request]!;
      if (this.#headDone === 0 && !this.#admit(request, prompt, this.#queueHead - firstDone)) break;
      const tokens = Math.min(budget, prompt - this.#headDone);
      chunk += tokens;
      budget -= tokens;
      this.#headDone += tokens;
      if (this.#headDone < prompt) break;
      this.#headDone = 0;
      this.#queueHead++;
    }
    this.clock += (decodeBaseMs + decodePerSequenceMs * decoding) / 1000 + chunk / prefillTokensPerSecond;
    this.pendingTokens -= chunk;
    this.#promptTokens += chunk;
    this.#outputTokens += decoding;
    this.#step++;
    this.#finishStep();
    for (let i = firstDone; i < this.#queueHead; i++) this.#giveFirstToken(this.#queue[i]!);
    if (this.#queueHead > 1024) {
      this.#queue = this.#queue.slice(this.#queueHead);
      this.#queueHead = 0;
    }
  }

  /** Whether a prompt waits; the first of low priority moves up when no other does. */
  #hasNext(): boolean {
    if (this.#queueHead < this.#queue.length) return true;
    if (this.#deferredHead === this.#deferred.length) return false;
    this.enqueue(this.#deferred[this.#deferredHead++]!);
    if (this.#deferredHead > 1024) {
      this.#deferred = this.#deferred.slice(this.#deferredHead);
      this.#deferredHead = 0;
    }
    return true;
  }

  /** A request that is larger than the whole cache runs alone: a real engine refuses it when it is sent. */
  #admit(request: number, prompt: number, admittedNow: number): boolean {
    const needed = prompt + this.#trace.outputTokens[request]!;
    const alone = this.running + admittedNow === 0;
    if (!alone && this.running + admittedNow >= this.#profile.maxBatch) return false;
    if (!alone && this.#kvUsed + needed > this.#profile.kvTokens) return false;
    this.#kvUsed += needed;
    return true;
  }

  #giveFirstToken(request: number): void {
    const seconds = this.clock - this.#trace.arrivals[request]!;
    this.#results.ttftMs[request] = seconds * 1000;
    if (seconds * 1000 > this.#limits.ttftMs) this.#lateFirstTokens++;
    this.#ttftCounts[bucketOf(vllmTtftBounds, seconds)]!++;
    this.#outputTokens++;
    const left = this.#trace.outputTokens[request]! - 1;
    this.running++;
    if (left <= 0) {
      this.#finish(request);
      return;
    }
    const slot = (this.#step + left) & (this.#finishing.length - 1);
    this.#results.nextInStep[request] = this.#finishing[slot]!;
    this.#finishing[slot] = request;
  }

  #finishStep(): void {
    const slot = this.#step & (this.#finishing.length - 1);
    let request = this.#finishing[slot]!;
    this.#finishing[slot] = -1;
    while (request >= 0) {
      this.#finish(request);
      request = this.#results.nextInStep[request]!;
    }
  }

  #finish(request: number): void {
    const output = this.#trace.outputTokens[request]!;
    this.running--;
    this.#kvUsed -= this.#trace.promptTokens[request]! + output;
    const firstToken = this.#trace.arrivals[request]! + this.#results.ttftMs[request]! / 1000;
    const perToken = output > 1 ? (this.clock - firstToken) / (output - 1) : 0;
    this.#results.tpotMs[request] = perToken * 1000;
    if (output > 1) this.#tpotCounts[bucketOf(vllmTpotBounds, perToken)]!++;
  }

  /** What its metrics say of the last `seconds`; begins the next interval. */
  scrape(seconds: number): ReplicaMetrics {
    const ttft = { bounds: vllmTtftBounds, counts: this.#ttftCounts };
    const p99 = quantileOf(ttft, 0.99);
    const tpotP99 = quantileOf({ bounds: vllmTpotBounds, counts: this.#tpotCounts }, 0.99);
    let firstTokens = 0;
    for (const count of this.#ttftCounts) firstTokens += count;
    const metrics: ReplicaMetrics = {
      running: this.running,
      waiting: this.waiting,
      kvUsage: Math.min(1, this.#kvUsed / this.#profile.kvTokens),
      promptTokensPerSecond: this.#promptTokens / seconds,
      outputTokensPerSecond: this.#outputTokens / seconds,
      firstTokens,
      // Exact, as a gateway counts it: vLLM's buckets leave out everything between 1 and 2.5 s.
      lateFirstTokens: this.#lateFirstTokens,
      ttftP99Ms: p99 === null ? null : p99 * 1000,
      tpotP99Ms: tpotP99 === null ? null : tpotP99 * 1000,
    };
    this.#promptTokens = 0;
    this.#outputTokens = 0;
    this.#lateFirstTokens = 0;
    this.#ttftCounts.fill(0);
    this.#tpotCounts.fill(0);
    return metrics;
  }
}

function bucketOf(bounds: readonly number[], value: number): number {
  let i = 0;
  while (value > bounds[i]!) i++;
  return i;
}
