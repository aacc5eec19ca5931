import type { Gpu } from "../gpus/gpu.ts";
import type { Fleet } from "./fleet.ts";
import { dollars } from "./words.ts";

/** Where the GPUs come from. Prices are US dollars. */
export type Supply =
  | { kind: "rent"; perHour: number }
  | { kind: "buy"; purchase: number; electricityPerKwh: number }
  | { kind: "existing"; perHour: number | null; electricityPerKwh: number };

export type FleetCost = {
  perMonth: number;
  capex: number;
  /** GPUs that run around the clock and GPU-hours a month above them, with what each costs a month. */
  baseline: { gpus: number; replicas: number; perMonth: number };
  onDemand: { gpusAtPeak: number; replicasAtPeak: number; gpuHoursPerMonth: number; perMonth: number };
  /** How the sum is made up, in words. */
  explanation: string;
};

export const hoursPerMonth = 730;
/** A year's commitment against the price on demand: 30 to 40% off at GPU clouds. */
const reservedShare = 0.65;
/** A GPU with its share of the server over its hourly rent: an eight-GPU H100 server at about 250,000 to 300,000 dollars. */
const purchaseHours = 12_000;
const amortisationMonths = 36;
/** A server draws about 1.4 times what its GPUs do: 6 to 10 kW with eight GPUs of 700 W. */
export const serverPowerFactor = 1.4;
/** Power usage effectiveness of a machine room: 1.1 to 1.2 with liquid cooling, 1.5 and more with air. */
const pue = 1.3;
export const defaultElectricityPerKwh = 0.15;

export function purchasePrice(gpu: Gpu): number {
  return gpu.pricePerHour * purchaseHours;
}

/** Watts that the servers of these GPUs draw when they are busy. */
export function serverWatts(gpu: Gpu, gpus: number): number {
  return gpus * gpu.powerW * serverPowerFactor;
}

/**
 * A month of a fleet whose need follows the hours of a day. Rented replicas that are needed for a larger share of the day
 * than a reservation costs of the on-demand price are reserved, the others come on demand; spare ones always run. What is
 * bought or there already runs around the clock.
 *
 * @param neededByHour replicas that carry the load, without spare, for each hour of a day
 */
export function priceFleet(gpu: Gpu, fleet: Fleet, supply: Supply, neededByHour: readonly number[]): FleetCost {
  const gpusPerReplica = fleet.gpus / fleet.replicas;
  if (supply.kind !== "rent") return priceOwned(gpu, fleet, supply);
  const hours = neededByHour.length;
  const shareNeeding = (replicas: number) => neededByHour.filter((needed) => needed >= replicas).length / hours;
  const needed = fleet.replicas - fleet.spareReplicas;
  const reservable = Array.from({ length: needed }, (_, index) => index + 1).filter(
    (replicas) => replicas === 1 || shareNeeding(replicas) > reservedShare,
  ).length;
  const replicas = reservable + fleet.spareReplicas;
  const reservedGpus = replicas * gpusPerReplica;
  const onDemandReplicaHours = neededByHour.reduce(
    (sum, each) => sum + Math.max(0, Math.min(each, needed) - reservable),
    0,
  );
  const gpuHoursPerMonth = (onDemandReplicaHours * gpusPerReplica * hoursPerMonth) / hours;
  const baseline = {
    gpus: reservedGpus,
    replicas,
    perMonth: reservedGpus * supply.perHour * reservedShare * hoursPerMonth,
  };
  const onDemand = {
    gpusAtPeak: fleet.gpus - reservedGpus,
    replicasAtPeak: fleet.replicas - replicas,
    gpuHoursPerMonth,
    perMonth: gpuHoursPerMonth * supply.perHour,
  };
  const parts = [
    `${reservedGpus} GPUs reserved at ${dollars(supply.perHour * reservedShare)} an hour (a year's commitment, ${Math.round(100 * reservedShare)}% of ${dollars(supply.perHour)})`,
    ...(onDemand.gpusAtPeak > 0
      ? [
          `up to ${onDemand.gpusAtPeak} on demand, ${Math.round(gpuHoursPerMonth)} GPU-hours a month at ${dollars(supply.perHour)}`,
        ]
      : []),
  ];
  return {
    perMonth: baseline.perMonth + onDemand.perMonth,
    capex: 0,
    baseline,
    onDemand,
    explanation: `${parts.join("; ")}.`,
  };
}

function priceOwned(gpu: Gpu, fleet: Fleet, supply: Exclude<Supply, { kind: "rent" }>): FleetCost {
  const kilowatts = (serverWatts(gpu, fleet.gpus) * pue) / 1000;
  const electricity = kilowatts * hoursPerMonth * supply.electricityPerKwh;
  const power = `${kilowatts.toFixed(1)} kW with server and cooling at ${dollars(supply.electricityPerKwh)} a kWh`;
  const capex = supply.kind === "buy" ? fleet.gpus * supply.purchase : 0;
  const ownPrice = supply.kind === "existing" ? supply.perHour : null;
  const perMonth = ownPrice === null ? electricity + capex / amortisationMonths : fleet.gpus * ownPrice * hoursPerMonth;
  const explanation =
    supply.kind === "buy"
      ? `${fleet.gpus} GPUs bought at ${dollars(supply.purchase)} each with their share of a server, over ${amortisationMonths} months; ${power}.`
      : ownPrice === null
        ? `${fleet.gpus} GPUs of your own: ${power}, nothing else counted.`
        : `${fleet.gpus} GPUs of your own at ${dollars(ownPrice)} an hour.`;
  return {
    perMonth,
    capex,
    baseline: { gpus: fleet.gpus, replicas: fleet.replicas, perMonth },
    onDemand: { gpusAtPeak: 0, replicasAtPeak: 0, gpuHoursPerMonth: 0, perMonth: 0 },
    explanation,
  };
}
