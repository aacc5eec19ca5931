import fc from "fast-check";
import { expect, it } from "vitest";
import { planFleet } from "./fleet.ts";

const request = fc.record({
  neededReplicas: fc.integer({ min: 1, max: 60 }),
  gpusPerReplica: fc.constantFrom(1, 2, 4, 8, 16),
  gpusPerNode: fc.constantFrom(1, 2, 4, 8),
  production: fc.boolean(),
  nodesAvailable: fc.option(fc.integer({ min: 0, max: 40 })),
});

it("carries the load after the loss of any node in production, on two nodes at least", () => {
  fc.assert(
    fc.property(request, (wanted) => {
      const fleet = planFleet({ ...wanted, production: true });
      fc.pre(fleet !== null);
      expect(fleet.nodes).toBeGreaterThanOrEqual(2);
      expect(fleet.replicasAfterNodeLoss).toBeGreaterThanOrEqual(wanted.neededReplicas);
      expect(fleet.spareReplicas).toBe(fleet.replicas - wanted.neededReplicas);
    }),
  );
});

it("never puts more on a node than it holds, nor takes more nodes than there are", () => {
  fc.assert(
    fc.property(request, (wanted) => {
      const fleet = planFleet(wanted);
      fc.pre(fleet !== null);
      expect(fleet.gpus).toBe(fleet.replicas * wanted.gpusPerReplica);
      expect(fleet.replicasPerNode * fleet.nodes).toBeGreaterThanOrEqual(fleet.replicas);
      expect((fleet.replicasPerNode * wanted.gpusPerReplica) / fleet.nodesPerReplica).toBeLessThanOrEqual(
        Math.max(wanted.gpusPerNode, wanted.gpusPerReplica / fleet.nodesPerReplica),
      );
      expect(fleet.nodes * wanted.gpusPerNode).toBeGreaterThanOrEqual(fleet.gpus);
      expect(fleet.nodes).toBeLessThanOrEqual(wanted.nodesAvailable ?? Infinity);
    }),
  );
});

it("gives one replica a twin on a second node, and a trial nothing", () => {
  const one = { neededReplicas: 1, gpusPerReplica: 2, gpusPerNode: 8, nodesAvailable: null };
  expect(planFleet({ ...one, production: true })).toMatchObject({ replicas: 2, nodes: 2, spareReplicas: 1 });
  expect(planFleet({ ...one, production: false })).toMatchObject({ replicas: 1, nodes: 1, spareReplicas: 0 });
  expect(planFleet({ ...one, production: true, nodesAvailable: 1 })).toBeNull();
});
