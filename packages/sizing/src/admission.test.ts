import fc from "fast-check";
import { expect, it } from "vitest";
import { decideAdmission } from "./admission.ts";

const gib = 1024 ** 3;
const nodes = [
  { name: "large", memoryBytes: 80 * gib },
  { name: "small", memoryBytes: 24 * gib },
];

it("takes the node that it leaves the least room on, and says with numbers why", () => {
  const decision = decideAdmission(nodes, [], { memoryBytes: 20 * gib });
  expect(decision).toEqual({
    status: "admitted",
    node: "small",
    reason: "Needs 20.0 GiB; small has 24.0 GiB free of 24.0 GiB.",
  });
  const booked = [{ node: "small", memoryBytes: 10 * gib, subject: "training:a" }];
  expect(decideAdmission(nodes, booked, { memoryBytes: 20 * gib })).toMatchObject({ node: "large" });
});

it("refuses with what is free, of how much, and who holds the rest", () => {
  const booked = [
    { node: "small", memoryBytes: 10 * gib, subject: "training:a" },
    { node: "large", memoryBytes: 70 * gib, subject: "training:b" },
  ];
  const decision = decideAdmission(nodes, booked, { memoryBytes: 20 * gib });
  expect(decision).toEqual({
    status: "refused",
    reason:
      "The job needs 20.0 GiB, and no node has that much free: large has 10.0 GiB free of 80.0 GiB (training:b 70.0 GiB); small has 14.0 GiB free of 24.0 GiB (training:a 10.0 GiB).",
    action: "Wait until other work ends, or stop some of it.",
  });
});

it("does not tell anyone to wait for what can never fit", () => {
  const decision = decideAdmission(nodes, [], { memoryBytes: 81 * gib });
  expect(decision).toMatchObject({ status: "refused", action: expect.stringContaining("add a node with more memory") });
  expect(decideAdmission([], [], { memoryBytes: 1 })).toMatchObject({ reason: expect.stringContaining("no nodes") });
});

it("never over-commits a node, whatever jobs come in whatever order", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 30 });
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 5 }), sizes, (capacities, jobs) => {
      const pool = capacities.map((memoryBytes, index) => ({ name: `node-${index}`, memoryBytes }));
      const booked: { node: string; memoryBytes: number; subject: string }[] = [];
      for (const [index, memoryBytes] of jobs.entries()) {
        const free = pool.map(
          (node) =>
            node.memoryBytes -
            booked.filter((each) => each.node === node.name).reduce((sum, each) => sum + each.memoryBytes, 0),
        );
        const decision = decideAdmission(pool, booked, { memoryBytes });
        expect(decision.status === "admitted").toBe(free.some((bytes) => bytes >= memoryBytes));
        if (decision.status === "admitted") booked.push({ node: decision.node, memoryBytes, subject: `job:${index}` });
      }
      for (const node of pool) {
        const used = booked.filter((each) => each.node === node.name).reduce((sum, each) => sum + each.memoryBytes, 0);
        expect(used).toBeLessThanOrEqual(node.memoryBytes);
      }
    }),
  );
});
