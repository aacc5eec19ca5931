import { expect, it } from "vitest";
import type { Allocation, Pool } from "@anneal/db/queries/pools";
import { toPoolView } from "./pool-view.ts";

const pool: Pool = {
  id: "p",
  name: "pool",
  profile: "mixed",
  createdAt: new Date(0),
  nodes: [
    { name: "a", cores: 2, memoryBytes: 100, gpus: [] },
    { name: "b", cores: 2, memoryBytes: 100, gpus: [] },
  ],
};
const allocation = (changes: Partial<Allocation>): Allocation => ({
  id: "x",
  poolId: "p",
  workspaceId: "mine",
  node: "a",
  subject: "training:1",
  memoryBytes: 30,
  measuredBytes: null,
  explanation: {},
  createdAt: new Date(0),
  releasedAt: null,
  ...changes,
});

it("counts each booking on its own node only", () => {
  const { nodes } = toPoolView(
    pool,
    [allocation({}), allocation({ node: "b", memoryBytes: 20 }), allocation({ poolId: "other" })],
    "mine",
  );
  expect(nodes.map(({ bookedBytes, freeBytes }) => [bookedBytes, freeBytes])).toEqual([
    [30, 70],
    [20, 80],
  ]);
});

it("never names another workspace's work, and still counts its memory", () => {
  const { nodes } = toPoolView(pool, [allocation({ workspaceId: "theirs", subject: "training:secret" })], "mine");
  expect(JSON.stringify(nodes)).not.toContain("secret");
  expect(nodes[0]).toMatchObject({ bookedBytes: 30, bookings: [{ subject: null }] });
});

it("shows no negative room on a node that is booked beyond its memory", () => {
  expect(toPoolView(pool, [allocation({ memoryBytes: 150 })], "mine").nodes[0]?.freeBytes).toBe(0);
});
