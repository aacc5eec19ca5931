import { expect, it } from "vitest";
import { findGpu } from "../gpus/catalogue.ts";
import { planFleet } from "./fleet.ts";
import { hoursPerMonth, priceFleet, purchasePrice } from "./cost.ts";

const gpu = { ...findGpu("H100-80GB"), pricePerHour: 2 };
const fleet = planFleet({
  neededReplicas: 10,
  gpusPerReplica: 2,
  gpusPerNode: 8,
  production: false,
  nodesAvailable: null,
})!;
const rent = { kind: "rent", perHour: 2 } as const;
const hours = (needed: (hour: number) => number) => Array.from({ length: 24 }, (_, hour) => needed(hour));

it("reserves what the whole day needs, and rents the peak by the hour", () => {
  const cost = priceFleet(
    gpu,
    fleet,
    rent,
    hours((hour) => (hour >= 9 && hour < 15 ? 10 : 4)),
  );
  expect(cost.baseline).toMatchObject({ replicas: 4, gpus: 8 });
  expect(cost.onDemand).toMatchObject({ replicasAtPeak: 6, gpusAtPeak: 12 });
  expect(cost.onDemand.gpuHoursPerMonth).toBeCloseTo(12 * (6 / 24) * hoursPerMonth);
  expect(cost.perMonth).toBeCloseTo(8 * 2 * 0.65 * hoursPerMonth + 12 * (6 / 24) * hoursPerMonth * 2);
});

it("never costs more than reserving all or renting all by the hour", () => {
  for (const peakHours of [1, 4, 8, 12, 16, 20, 24]) {
    const needed = hours((hour) => (hour < peakHours ? 10 : 1));
    const { perMonth } = priceFleet(gpu, fleet, rent, needed);
    const replicaHours = needed.reduce((sum, each) => sum + each, 0) / 24;
    expect(perMonth).toBeLessThanOrEqual(fleet.gpus * 2 * 0.65 * hoursPerMonth + 1e-6);
    expect(perMonth).toBeLessThanOrEqual(replicaHours * 2 * 2 * hoursPerMonth + 1e-6);
  }
});

it("spreads what is bought over three years and adds the electricity", () => {
  const buy = { kind: "buy", purchase: purchasePrice(gpu), electricityPerKwh: 0.2 } as const;
  const cost = priceFleet(
    gpu,
    fleet,
    buy,
    hours(() => 10),
  );
  expect(cost.capex).toBe(20 * 2 * 12_000);
  expect(cost.perMonth).toBeCloseTo(cost.capex / 36 + ((20 * 700 * 1.4 * 1.3) / 1000) * hoursPerMonth * 0.2);
  const existing = priceFleet(
    gpu,
    fleet,
    { kind: "existing", perHour: null, electricityPerKwh: 0.2 },
    hours(() => 10),
  );
  expect(existing.perMonth).toBeCloseTo(cost.perMonth - cost.capex / 36);
  expect(existing.capex).toBe(0);
});
