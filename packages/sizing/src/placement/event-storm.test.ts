import { describe, expect, it } from "vitest";
import { runEventStorm } from "./event-storm.ts";
import { mixedCluster } from "./mixed-cluster.ts";

describe("twenty thousand random events", () => {
  it.each([
    { seed: 1, nodes: 8, teams: 3, events: 12_000, mostAlive: 40 },
    { seed: 2, nodes: 24, teams: 5, events: 8000, mostAlive: 100 },
  ])("break no rule (seed $seed, $nodes nodes)", ({ seed, nodes, teams, events, mostAlive }) => {
    const report = runEventStorm({
      cluster: mixedCluster(nodes, teams),
      events,
      seed,
      mostAlive,
      auditEvery: 500,
      orderCheckPart: 0.05,
    });
    expect(report.violations).toEqual([]);
    // The events are worth something only if they lead to every kind of answer.
    expect(Object.keys(report.decisions).toSorted()).toEqual(
      expect.arrayContaining([
        "admitted",
        "queued: no-room",
        "queued: quota",
        "refused: never-fits",
        "refused: over-quota",
      ]),
    );
    expect(report.evictions).toBeGreaterThan(100);
  });

  it("are the same again for the same seed", () => {
    const run = () =>
      runEventStorm({
        cluster: mixedCluster(8, 3),
        events: 300,
        seed: 7,
        mostAlive: 40,
        auditEvery: 100,
        orderCheckPart: 1,
      });
    expect(run()).toEqual(run());
  });
});
