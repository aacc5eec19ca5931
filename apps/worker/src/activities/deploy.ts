import {
  servingName as nameOf,
  type DeployInput,
  type DeployResult,
  type DeployStepState,
} from "@anneal/core/deploy/contract";
import { AnnealError, type ErrorReport } from "@anneal/core/errors";
import { stableUuid } from "@anneal/core/indexing/point-id";
import type { StageInput } from "@anneal/core/loop/contract";
import type { Database } from "@anneal/db/database";
import { recordAudit } from "@anneal/db/queries/audit";
import { createDeployment, findRunningDeployment, flipAlias, getDeployment, isServingNameUsed, updateDeployment } from "@anneal/db/queries/deploy";
import { getAdapterVersion } from "@anneal/db/queries/register";
import { countInFlight, listReplicas, listResidencies, saveResidency, type Replica } from "@anneal/db/queries/serving";
import { addRunOutputs, getRun } from "@anneal/db/queries/loop";
import { cancellationSignal, heartbeat } from "@temporalio/activity";
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { ReplicaDriver } from "../drivers/replicas.ts";
import type { StageCounts } from "../workflows/run-stage.ts";

export type DeployActivities = ReturnType<typeof createDeployActivities>;

type Target = { servingName: string; objectPrefix: string; adapterId: string; adapterName: string };
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** An engine that starts again, with a large model to load, is worth waiting for. */
const engineTimeoutMs = 10 * 60_000;
/** Requests longer than this keep their version loaded instead of being cut off. */
const drainTimeoutMs = 10 * 60_000;

export function createDeployActivities({ db, replicas }: { db: Database; replicas: ReplicaDriver }) {
  const scopeOf = (input: { workspaceId: string }) => ({ db, workspaceId: input.workspaceId });

  /** Every replica that serves now; one that is down catches up through the reconciler. With none it waits for the first. */
  async function readyReplicas(): Promise<Replica[]> {
    const deadline = Date.now() + engineTimeoutMs;
    for (;;) {
      const ready = (await listReplicas(db)).filter((replica) => replica.status === "ready");
      if (ready.length > 0) return ready;
      if (Date.now() > deadline) {
        throw new AnnealError("ENGINE_UNAVAILABLE", "No inference engine is ready.", {
          action: "Look at the engine's log, then retry the deployment; what serves now is not touched.",
        });
      }
      heartbeat();
      await sleep(500, undefined, { signal: cancellationSignal() });
    }
  }

  return {
    async planDeployStage(input: StageInput): Promise<DeployInput> {
      const scope = scopeOf(input);
      const { outputs, startedBy } = await getRun(scope, input.runId);
      const { adapterVersionId } = outputs;
      if (adapterVersionId === undefined) {
        throw new AnnealError("CONFLICT", "The run has registered no adapter.", {
          action: "Retry the register stage.",
        });
      }
      const deploymentId = stableUuid([input.runId, adapterVersionId, input.settings.alias, "deploy"], sha256);
      await addRunOutputs(scope, input.runId, { deploymentId });
      return {
        workspaceId: input.workspaceId,
        deploymentId,
        adapterVersionId,
        alias: input.settings.alias,
        by: startedBy,
      };
    },

    async confirmDeployed(input: StageInput & { deploymentId: string }): Promise<StageCounts> {
      const deployment = await getDeployment(scopeOf(input), input.deploymentId);
      const count = deployment.replicaCount ?? 0;
      const note = `${deployment.servingName} on ${count} replica${count === 1 ? "" : "s"} in ${deployment.swapMs} ms.`;
      return { inCount: 1, outCount: 1, note };
    },

    async openDeployment(input: DeployInput): Promise<Target> {
      const scope = scopeOf(input);
      const { adapter, version } = await getAdapterVersion(scope, input.adapterVersionId);
      const servingName = nameOf(adapter.name, version.digest);
      const { deploymentId: id, adapterVersionId, alias, by } = input;
      await createDeployment(scope, { id, adapterVersionId, alias, servingName, by });
      const other = await findRunningDeployment(scope, adapter.id, input.alias, input.deploymentId);
      if (other) {
        const error = new AnnealError("CONFLICT", `Another deployment to ${adapter.name}@${alias} is under way.`, {
          action: "Wait until it has ended, then deploy again.",
          details: { deploymentId: other.id },
        });
        await updateDeployment(scope, id, { status: "failed", error: error.toReport(), endedAt: new Date() });
        throw error;
      }
      return { servingName, objectPrefix: version.objectPrefix, adapterId: adapter.id, adapterName: adapter.name };
    },

    async loadOnReplicas(input: DeployInput & Target): Promise<{ replicas: number; detail: string | null }> {
      const ready = await readyReplicas();
      await Promise.all(
        ready.map(async (replica) => {
          const residency = {
            replicaId: replica.id,
            servingName: input.servingName,
            objectPrefix: input.objectPrefix,
            workspaceId: input.workspaceId,
            desired: "resident" as const,
          };
          await saveResidency(db, { ...residency, observed: "loading" });
          try {
            await replicas.load(replica, input.servingName, input.objectPrefix);
            await saveResidency(db, { ...residency, observed: "resident" });
          } catch (error) {
            const message = error instanceof Error ? error.message : String(error);
            await saveResidency(db, { ...residency, desired: "absent", observed: "failed", error: message });
            throw error;
          }
        }),
      );
      return { replicas: ready.length, detail: `${ready.length} replica${ready.length === 1 ? "" : "s"}` };
    },

    /** A real completion by each replica under the new name: a loaded adapter can still fail when it is used. */
    async probeReplicas(input: DeployInput & Target): Promise<{ detail: string | null }> {
      const answers = await Promise.all(
        (await readyReplicas()).map((replica) => replicas.probe(replica, input.servingName, cancellationSignal())),
      );
      return { detail: answers[0]?.slice(0, 120) ?? null };
    },

    async flipDeployment(
      input: DeployInput & Target,
    ): Promise<{ epoch: number; previousServingName: string | null; detail: string | null }> {
      const scope = scopeOf(input);
      const { adapterId, alias, adapterVersionId, servingName, deploymentId, by } = input;
      // The record comes first: what cannot be recorded does not happen.
      await recordAudit(scope, {
        actor: by,
        action: "adapter.deploy",
        subject: `${input.adapterName}@${alias}`,
        details: { servingName, deploymentId },
      });
      const flip = await flipAlias(scope, { adapterId, alias, adapterVersionId, servingName, deploymentId, by });
      return {
        ...flip,
        detail: flip.previousServingName === null ? "first version" : `was ${flip.previousServingName}`,
      };
    },

    /** Waits until every gateway routes by the new epoch and none has a request on the old version. */
    async drainPrevious(
      input: DeployInput & { servingName: string | null; epoch: number },
    ): Promise<{ detail: string | null; skipped?: boolean }> {
      if (input.servingName === null || (await isServingNameUsed(scopeOf(input), input.servingName))) {
        return { detail: "nothing to drain", skipped: true };
      }
      const deadline = Date.now() + drainTimeoutMs;
      for (;;) {
        const { inFlight, gatewaysBehind } = await countInFlight(db, input.servingName, input.epoch);
        if (inFlight === 0 && gatewaysBehind === 0) return { detail: "no request left" };
        if (Date.now() > deadline) {
          throw new AnnealError("DEPLOYMENT_FAILED", `${inFlight} requests still run on ${input.servingName}.`, {
            action: "The new version serves; the old one stays loaded. Deploy again later to unload it.",
          });
        }
        heartbeat({ inFlight, gatewaysBehind });
        await sleep(50, undefined, { signal: cancellationSignal() });
      }
    },

    async unloadPrevious(
      input: DeployInput & { servingName: string | null },
    ): Promise<{ detail: string | null; skipped?: boolean }> {
      const { servingName } = input;
      if (servingName === null || (await isServingNameUsed(scopeOf(input), servingName))) {
        return { detail: "still served by an alias", skipped: true };
      }
      const held = (await listResidencies(db)).filter((residency) => residency.servingName === servingName);
      // From here on the reconciler finishes the unloading on replicas that do not answer now.
      for (const residency of held) await saveResidency(db, { ...residency, desired: "absent" });
      for (const replica of await readyReplicas()) {
        if (!held.some((residency) => residency.replicaId === replica.id)) continue;
        await replicas.unload(replica, servingName);
      }
      return { detail: servingName };
    },

    async reportDeployment(
      input: DeployInput & {
        steps: DeployStepState[];
        result: DeployResult | null;
        status: "running" | "done" | "failed";
        error: ErrorReport | null;
      },
    ): Promise<void> {
      await updateDeployment(scopeOf(input), input.deploymentId, {
        status: input.status,
        steps: input.steps,
        error: input.error,
        ...(input.result === null ? {} : { swapMs: input.result.swapMs, replicaCount: input.result.replicas }),
        ...(input.status === "running" ? {} : { endedAt: new Date() }),
      });
    },
  };
}
