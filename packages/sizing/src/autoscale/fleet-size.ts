import type { ControllerSettings } from "./controller-settings.ts";
import type { Observation } from "./observation.ts";

/**
 * A fleet of whole replicas. Half a replica too few is a twentieth of ten and a quarter of two, so small fleets are rounded
 * up, large ones to the nearest.
 */
export function roundFleet(replicas: number): number {
  return Math.max(0, Math.ceil(replicas - Math.min(0.5, replicas / 20)));
}

/** Within the limits of the settings and of the scheduler; what drains can serve again without a new place. */
export function limitFleet(replicas: number, settings: ControllerSettings, observation: Observation): number {
  const there = observation.replicas.length;
  return Math.min(
    settings.maxReplicas,
    Math.max(settings.minReplicas, Math.min(replicas, there + placeableOf(observation))),
  );
}

/** What is no number is taken for no room. */
export function placeableOf({ placeable }: Observation): number {
  return Number.isFinite(placeable) ? Math.max(0, Math.floor(placeable)) : 0;
}
