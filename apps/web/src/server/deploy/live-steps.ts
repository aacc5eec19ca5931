import { deploySteps, type DeployStepState } from "@anneal/core/deploy/contract";

type Facts = {
  status: "running" | "done" | "failed";
  /** As the workflow wrote them: nothing before the flip, all with it, and again at the end. */
  steps: readonly { step: string; status: string; durationMs: number | null; detail: string | null }[];
  /** What the ledger says of the new serving name on the replicas that are ready. */
  observed: readonly string[];
  readyReplicas: number;
};

/** The steps as they stand now. Before the flip the ledger of residencies tells loading from probing. */
export function liveSteps({ status, steps, observed, readyReplicas }: Facts): DeployStepState[] {
  const written = new Map(steps.map((each) => [each.step, each]));
  const states = deploySteps.map((step): DeployStepState => {
    const each = written.get(step);
    return each === undefined
      ? { step, status: "waiting", durationMs: null, detail: null }
      : { step, status: each.status as DeployStepState["status"], durationMs: each.durationMs, detail: each.detail };
  });
  if (status !== "running") return states;
  if (written.size === 0) {
    const resident = observed.filter((each) => each === "resident").length;
    const loaded = readyReplicas > 0 && resident >= readyReplicas;
    const detail =
      readyReplicas > 0 ? `${resident} of ${readyReplicas} ${readyReplicas === 1 ? "replica" : "replicas"}` : null;
    Object.assign(states[0]!, { status: loaded ? "done" : "running", detail });
    if (loaded) states[1]!.status = "running";
    return states;
  }
  const next = states.find((each) => each.status === "waiting");
  if (next && !states.some((each) => each.status === "running")) next.status = "running";
  return states;
}
