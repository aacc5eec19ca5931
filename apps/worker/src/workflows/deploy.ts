import type { DeployInput, DeployResult, DeployStep, DeployStepState } from "@anneal/core/deploy/contract";
import { deploySteps } from "@anneal/core/deploy/contract";
import type { StageInput } from "@anneal/core/loop/contract";
import {
  CancellationScope,
  executeChild,
  patched,
  proxyActivities,
  proxyLocalActivities,
  workflowInfo,
} from "@temporalio/workflow";
import type { DeployActivities } from "../activities/deploy.ts";
import { failWith, reportOf } from "./failure.ts";
import { runStage } from "./run-stage.ts";

const rowOptions = {
  startToCloseTimeout: "1 minute",
  retry: { maximumAttempts: 8, maximumInterval: "5 seconds" },
} as const;
const remoteRows = proxyActivities<DeployActivities>(rowOptions);
const { reportDeployment, planDeployStage, confirmDeployed } = remoteRows;
/** What a swap waits for: a few rows are not worth the way to the server's queue and back. */
const localRows = proxyLocalActivities<DeployActivities>(rowOptions);
const { loadOnReplicas, probeReplicas, drainPrevious, unloadPrevious } = proxyActivities<DeployActivities>({
  startToCloseTimeout: "15 minutes",
  heartbeatTimeout: "30 seconds",
  retry: { maximumAttempts: 5, initialInterval: "500 milliseconds", maximumInterval: "10 seconds" },
});

/**
 * load everywhere -> probe with a real completion -> flip the alias -> drain what it pointed at -> unload that.
 * Until the flip nothing that serves is touched; after it, a failure leaves the new version serving.
 */
export async function deploy(input: DeployInput): Promise<DeployResult> {
  const steps: DeployStepState[] = deploySteps.map((step) => ({
    step,
    status: "waiting",
    durationMs: null,
    detail: null,
  }));
  async function doStep<T extends { detail: string | null; skipped?: boolean }>(
    name: DeployStep,
    work: () => Promise<T>,
  ): Promise<T> {
    const state = steps.find((step) => step.step === name)!;
    // Date.now is the workflow's replayed clock, not the machine's.
    const startedAt = Date.now();
    state.status = "running";
    try {
      const result = await work();
      Object.assign(state, { status: result.skipped ? "skipped" : "done", detail: result.detail });
      return result;
    } catch (error) {
      Object.assign(state, { status: "failed", detail: reportOf(error).message });
      throw error;
    } finally {
      state.durationMs = Date.now() - startedAt;
    }
  }

  const startedAt = Date.now();
  // Deployments that began under an earlier release go on as they began.
  const { openDeployment, flipDeployment } = patched("local-rows") ? localRows : remoteRows;
  const target = await openDeployment(input);
  try {
    const loaded = await doStep("load", () => loadOnReplicas({ ...input, ...target }));
    await doStep("probe", () => probeReplicas({ ...input, ...target }));
    const flip = await doStep("flip", () => flipDeployment({ ...input, ...target }));
    const result: DeployResult = {
      servingName: target.servingName,
      swapMs: Date.now() - startedAt,
      replicas: loaded.replicas,
    };
    await reportDeployment({ ...input, steps, result, status: "running", error: null });
    const previous = flip.previousServingName;
    await doStep("drain", () => drainPrevious({ ...input, servingName: previous, epoch: flip.epoch }));
    await doStep("unload", () => unloadPrevious({ ...input, servingName: previous }));
    await reportDeployment({ ...input, steps, result, status: "done", error: null });
    return result;
  } catch (error) {
    const report = reportOf(error);
    await CancellationScope.nonCancellable(() =>
      reportDeployment({ ...input, steps, result: null, status: "failed", error: report }),
    );
    throw failWith(report);
  }
}

export async function deployStage(input: StageInput): Promise<void> {
  await runStage(input, "deploy", async () => {
    const plan = await planDeployStage(input);
    if ("leftAsItIs" in plan) return plan.leftAsItIs;
    await executeChild(deploy, { workflowId: `${workflowInfo().workflowId}-${plan.alias}`, args: [plan] });
    return confirmDeployed({ ...input, deploymentId: plan.deploymentId });
  });
}
