import type { Observation, ReplicaMetrics } from "./observation.ts";

/** Times are seconds since the first request. */
export type FleetMember = {
  readonly id: number;
  readonly startedAt: number;
  readonly readyAt: number;
  draining: boolean;
  /** Requests that it holds. */
  readonly inFlight: number;
};

export type Decision = {
  /** Starting and serving, without those that drain. */
  desiredReplicas: number;
  /** Ids to drain first when there are too many. */
  drain?: readonly string[];
};

export type Policy = (observation: Observation) => Decision;

export type RosterSettings = {
  /** From the decision to the first request that it can take. */
  coldStartSeconds: number;
  /** Serving when the first request comes. */
  initialReplicas: number;
  /** What the scheduler can place at most. */
  maxReplicas: number;
  /** Unix time of the first request, for policies that know the hour of the day. */
  startAt: number;
};

/**
 * The replicas of a simulated fleet: which start, serve and drain, and what they have cost. One that drains takes no new
 * request and ends when it holds none; it costs from its start to its end.
 */
export class FleetRoster<Member extends FleetMember> {
  members: Member[] = [];
  readonly counts = { starts: 0, drains: 0, cancelledStarts: 0, maxReplicas: 0 };
  readonly #settings: RosterSettings;
  readonly #create: (id: number, startedAt: number, readyAt: number) => Member;
  #spentSeconds = 0;
  #nextId = 0;

  constructor(settings: RosterSettings, create: (id: number, startedAt: number, readyAt: number) => Member) {
    this.#settings = settings;
    this.#create = create;
    for (let i = 0; i < settings.initialReplicas; i++) this.#start(0, 0);
  }

  observe(now: number, scrape: (member: Member) => ReplicaMetrics): Observation {
    return {
      at: this.#settings.startAt + now,
      replicas: this.members.map((member) => ({
        id: String(member.id),
        status: member.draining ? "draining" : member.readyAt > now ? "starting" : "serving",
        startedAt: this.#settings.startAt + member.startedAt,
        metrics: member.readyAt > now ? null : scrape(member),
      })),
      placeable: Math.max(0, this.#settings.maxReplicas - this.members.length),
    };
  }

  apply(now: number, decision: Decision): void {
    let missing = decision.desiredReplicas - this.members.filter(({ draining }) => !draining).length;
    // What drains is loaded: it serves again at once.
    for (const member of this.members) {
      if (missing <= 0) break;
      if (!member.draining) continue;
      member.draining = false;
      missing--;
    }
    for (; missing > 0 && this.members.length < this.#settings.maxReplicas; missing--) {
      this.#start(now, now + this.#settings.coldStartSeconds);
      this.counts.starts++;
    }
    const starting = this.members.filter(({ readyAt, draining }) => readyAt > now && !draining);
    for (; missing < 0 && starting.length > 0; missing++) {
      this.#end(starting.pop()!, now);
      this.counts.cancelledStarts++;
    }
    const place = (member: Member) => {
      const index = decision.drain?.indexOf(String(member.id)) ?? -1;
      return index < 0 ? Infinity : index;
    };
    const serving = this.members.filter(({ draining }) => !draining);
    if (missing < 0) serving.sort((left, right) => order(place(left), place(right)) || left.inFlight - right.inFlight);
    for (; missing < 0 && serving.length > 0; missing++) {
      serving.shift()!.draining = true;
      this.counts.drains++;
    }
    this.release(now);
    this.counts.maxReplicas = Math.max(this.counts.maxReplicas, this.members.length);
  }

  /** Ends those that drain and hold nothing any more. */
  release(now: number): void {
    for (const member of this.members.filter(({ draining, inFlight }) => draining && inFlight === 0))
      this.#end(member, now);
  }

  /** Seconds of all replicas until `now`, those that have ended included. */
  replicaSeconds(now: number): number {
    return this.members.reduce((sum, { startedAt }) => sum + Math.max(0, now - startedAt), this.#spentSeconds);
  }

  #start(now: number, readyAt: number): void {
    this.members.push(this.#create(this.#nextId++, now, readyAt));
  }

  #end(member: Member, now: number): void {
    this.members.splice(this.members.indexOf(member), 1);
    this.#spentSeconds += now - member.startedAt;
  }
}

const order = (left: number, right: number) => (left === right ? 0 : left < right ? -1 : 1);
