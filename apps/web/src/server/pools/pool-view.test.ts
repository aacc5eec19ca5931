import { describe, expect, it } from "vitest";
import type { Placement, Pool } from "@anneal/db/queries/pools";
import { placementOf } from "./placement.fixture.ts";
import { toBooking, toPoolView, toWaiting, viewerOf } from "./pool-view.ts";

const mib = 2 ** 20;
const node = (changes: Partial<Pool["nodes"][number]>): Pool["nodes"][number] => ({
  name: "a",
  gpuModel: null,
  gpus: 0,
  gpuMemoryGib: 0,
  nvlinkDomain: null,
  railGroup: null,
  numaNodes: 1,
  migProfiles: [],
  cpuMilli: 2000,
  memoryMib: 100,
  labels: {},
  costPerHour: 0,
  cordoned: false,
  lost: false,
  ...changes,
});
const pool: Pool = {
  id: "p",
  name: "pool",
  kinds: null,
  servingReserveGpuMilli: 0,
  createdAt: new Date(0),
  nodes: [node({}), node({ name: "b", gpuModel: "H100-80GB", gpus: 8, gpuMemoryGib: 80 })],
};
const view = (placements: Placement[]) => toPoolView(pool, placements, viewerOf("mine", placements)).nodes;
const withGpus = (gpus: { index: number; milli: number }[], changes: Partial<Placement> = {}) =>
  placementOf({ members: [{ member: 0, node: "b", gpus }], ...changes });

describe("a node", () => {
  it("counts each booking on its own node only, and what runs only", () => {
    const nodes = view([
      placementOf(),
      placementOf({ subject: "training:2", members: [{ member: 0, node: "b", gpus: [] }] }),
      placementOf({ subject: "training:3", members: [{ member: 0, node: "elsewhere", gpus: [] }] }),
      placementOf({ subject: "training:4", status: "waiting", members: [] }),
    ]);
    expect(nodes.map(({ bookedBytes, freeBytes }) => [bookedBytes / mib, freeBytes / mib])).toEqual([
      [30, 70],
      [30, 70],
    ]);
  });

  it("shows no negative room where it is booked beyond its memory", () => {
    const large = placementOf();
    large.request.gang[0]!.memoryMib = 150;
    expect(view([large])[0]).toMatchObject({ bookedBytes: 150 * mib, freeBytes: 0 });
  });

  it("counts the GPUs that are held on it, whole and in part, by number", () => {
    const [, gpuNode] = view([
      withGpus([
        { index: 0, milli: 1000 },
        { index: 1, milli: 1000 },
      ]),
      withGpus([{ index: 2, milli: 250 }], { subject: "replica:http://one", workspaceId: null }),
    ]);
    expect(gpuNode).toMatchObject({
      gpus: 8,
      gpuModel: "H100-80GB",
      gpuMemoryBytes: 80 * 2 ** 30,
      bookedGpuMilli: 2250,
    });
    expect(gpuNode?.bookings.map(({ gpus }) => gpus.map(({ index }) => index))).toEqual([[0, 1], [2]]);
  });

  it("counts of a gang over two nodes what lies on each", () => {
    const gang = placementOf({
      members: [
        { member: 0, node: "a", gpus: [] },
        { member: 0, node: "b", gpus: [{ index: 7, milli: 1000 }] },
        { member: 0, node: "b", gpus: [{ index: 6, milli: 1000 }] },
      ],
    });
    expect(view([gang]).map(({ bookedBytes, bookedGpuMilli }) => [bookedBytes / mib, bookedGpuMilli])).toEqual([
      [30, 0],
      [60, 2000],
    ]);
  });
});

describe("what is another workspace's", () => {
  const theirs = (changes: Partial<Placement> = {}) =>
    placementOf({ workspaceId: "theirs", subject: "training:secret", reason: "Goes to a, for secret.", ...changes });

  it("takes room without a name or a reason", () => {
    const nodes = view([theirs()]);
    expect(JSON.stringify(nodes)).not.toContain("secret");
    expect(nodes[0]).toMatchObject({ bookedBytes: 30 * mib, bookings: [{ subject: null, reason: null }] });
  });

  it("waits without a name, and shows how much room it asks for", () => {
    const waiting = theirs({ status: "waiting", action: "Stop secret." });
    const shown = toWaiting(waiting, viewerOf("mine", [waiting]));
    expect(JSON.stringify(shown)).not.toContain("secret");
    expect(shown).toMatchObject({ subject: null, action: null, wanted: { memoryBytes: 30 * mib } });
  });

  it("is told apart from other such work, the same at each look", () => {
    const keys = [theirs(), theirs({ subject: "training:other" }), theirs()].map(
      (each) => toBooking(each, viewerOf("mine", [each])).key,
    );
    expect(keys[0]).toBe(keys[2]);
    expect(keys[0]).not.toBe(keys[1]);
  });

  it("is not named by the reason of what waits for it; one's own work is", () => {
    const waiting = placementOf({
      status: "waiting",
      reason: "There is no room now.",
      action:
        "It would fit with 1 GPU more on b, where training:secret, training:1, replica:engine-2, replica:http://10.0.3.7:8000 run.",
    });
    const shown = toWaiting(waiting, viewerOf("mine", [waiting, theirs()]));
    expect(shown.action).toBe(
      "It would fit with 1 GPU more on b, where work of another workspace, training 1, engine 2, engine 10.0.3.7:8000 run.",
    );
  });
});

it("adds up what all pods of a waiting gang ask for", () => {
  const waiting = placementOf({ status: "waiting" });
  waiting.request.gang = [
    { count: 2, gpus: 4, gpuMilli: 1000, cpuMilli: 8000, memoryMib: 1024 },
    { count: 1, gpus: 1, gpuMilli: 500, cpuMilli: 1000, memoryMib: 512 },
  ];
  expect(toWaiting(waiting, viewerOf("mine", [waiting])).wanted).toEqual({
    pods: 3,
    gpuMilli: 8500,
    cores: 17,
    memoryBytes: 2560 * mib,
  });
});
