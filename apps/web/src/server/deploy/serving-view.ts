import type { Replica, Residency } from "@anneal/db/queries/serving";

export type Serving = {
  /** On how many of the engines that are ready this version is in memory. */
  resident: number;
  ready: number;
  replicas: {
    replicaId: string;
    url: string;
    status: Replica["status"];
    observed: Residency["observed"] | null;
    error: string | null;
  }[];
};

/** Where a serving name is held, engine by engine, also where it should be and is not. */
export function toServing(
  servingName: string,
  replicas: readonly Replica[],
  residencies: readonly Residency[],
): Serving {
  const of = replicas.map((replica) => {
    const held = residencies.find((each) => each.replicaId === replica.id && each.servingName === servingName);
    return {
      replicaId: replica.id,
      url: replica.url,
      status: replica.status,
      observed: held?.observed ?? null,
      error: held?.error ?? null,
    };
  });
  return {
    resident: of.filter((each) => each.status === "ready" && each.observed === "resident").length,
    ready: of.filter((each) => each.status === "ready").length,
    replicas: of.filter(({ observed, status }) => observed !== null || status === "starting" || status === "down"),
  };
}
