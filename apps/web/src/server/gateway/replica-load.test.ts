import type { Replica } from "@anneal/db/queries/serving";
import { describe, expect, it } from "vitest";
import { createReplicaLoad } from "#server/gateway/replica-load.ts";

const profile = {
  name: "test",
  gpus: 1,
  prefillTokensPerSecond: 1000,
  decodeBaseMs: 20,
  decodePerSequenceMs: 1,
  maxBatch: 64,
  stepTokens: 2048,
  kvTokens: 50_000,
};

function replicaAt(url: string, order: "late-last" | "arrival" | null = "late-last"): Replica {
  return {
    id: url,
    url,
    baseModel: "tiny",
    status: "ready",
    drainingSince: null,
    managed: false,
    engineStartedAt: null,
    maxLoraRank: null,
    maxLoras: null,
    servingProfile: order && { profile, limits: { ttftMs: 2000, tpotMs: 200 }, order, coldStartSeconds: 60 },
    checkedAt: null,
    error: null,
  };
}

describe("createReplicaLoad", () => {
  it("puts last what cannot be in time behind the prompts before it, and only that", () => {
    const load = createReplicaLoad();
    const replica = replicaAt("http://a");
    const first = load.begin(replica, 2000, 0);
    expect(first.priority).toBe(0);
    expect(load.begin(replica, 2000, 0).priority).toBe(0);
    expect(load.begin(replica, 2000, 0).priority).toBe(1);
    first.firstToken();
    expect(load.begin(replica, 400, 0).priority).toBe(0);
    expect(load.begin(replicaAt("http://b"), 2000, 0).priority).toBe(0);
  });

  it("counts the time that a request has waited already", () => {
    const load = createReplicaLoad();
    expect(load.begin(replicaAt("http://a"), 400, 500).priority).toBe(0);
    expect(load.begin(replicaAt("http://a"), 400, 1500).priority).toBe(1);
  });

  it("forgets a request once, however it ends", () => {
    const load = createReplicaLoad();
    const [a, b] = [replicaAt("http://a"), replicaAt("http://b")];
    const flight = load.begin(a, 4000, 0);
    expect(load.order([a, b]).map(({ url }) => url)).toEqual(["http://b", "http://a"]);
    flight.firstToken();
    flight.end();
    flight.end();
    load.begin(b, 4, 0);
    expect(load.order([b, a]).map(({ url }) => url)).toEqual(["http://a", "http://b"]);
    expect(load.begin(a, 2000, 0).priority).toBe(0);
  });

  it("says nothing to an engine without priorities, or of unknown hardware", () => {
    const load = createReplicaLoad();
    for (const order of ["arrival", null] as const)
      expect(load.begin(replicaAt("http://a", order), 400_000, 9000).priority).toBeNull();
  });

  it("routes to ready replicas only", () => {
    const down = { ...replicaAt("http://a"), status: "draining" as const };
    expect(createReplicaLoad().order([down])).toEqual([]);
  });
});
