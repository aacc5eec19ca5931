import {
  servingName as nameOf,
  type DeployInput,
  type DeployResult,
  type DeployStepState,
} from "@anneal/core/deploy/contract";
import { deadDeployment } from "@anneal/core/deploy/dead-deployment";
import { mergeSteps } from "@anneal/core/deploy/step-states";
import { AnnealError, type ErrorReport } from "@anneal/core/errors";
import { stableUuid } from "@anneal/core/indexing/point-id";
import type { StageInput } from "@anneal/core/loop/contract";
import type { Database, Scope } from "@anneal/db/database";
import { recordAudit } from "@anneal/db/queries/audit";
import {
  abandonDeployment,
  createDeployment,
  flipAlias,
  getDeployment,
  isServingNameUsed,
  listAliasHistory,
  listCurrentAliases,
  listRunningDeployments,
  releaseUnusedServingName,
  updateDeployment,
} from "@anneal/db/queries/deploy";
import { getAdapterVersion, listAdapterVersions } from "@anneal/db/queries/register";
import {
  countInFlight,
  listReplicas,
  listResidencies,
  observeResidency,
  readAliasEpoch,
  saveResidency,
  type Replica,
  type Residency,
} from "@anneal/db/queries/serving";
import { addRunOutputs, getRun } from "@anneal/db/queries/loop";
import { activityInfo, cancellationSignal, heartbeat } from "@temporalio/activity";
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { ReplicaDriver } from "../drivers/replicas.ts";
import type { StageCounts } from "../workflows/run-stage.ts";
import { recordStep } from "./record-deploy-step.ts";

export type DeployActivities = ReturnType<typeof createDeployActivities>;

type Target = { servingName: string; objectPrefix: string; adapterId: string; adapterName: string };
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** An engine that starts again, with a large model to load, is worth waiting for. */
const engineTimeoutMs = 10 * 60_000;
/** Requests longer than this keep their version loaded instead of being cut off. */
const drainTimeoutMs = 10 * 60_000;

export function createDeployActivities(deps: {
  db: Database;
  replicas: ReplicaDriver;
  /** Also true of one that Temporal does not know. */
  hasWorkflowEnded(workflowId: string): Promise<boolean>;
}) {
  const { db, replicas } = deps;
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

  async function listHeldOfAdapter(input: DeployInput): Promise<Residency[]> {
    const { adapter } = await getAdapterVersion(scopeOf(input), input.adapterVersionId);
    const versions = (await listAdapterVersions(scopeOf(input))).filter((each) => each.adapter.id === adapter.id);
    const names = new Set(versions.map(({ version }) => nameOf(adapter.name, version.digest)));
    return (await listResidencies(db)).filter(({ servingName }) => names.has(servingName));
  }

  /** What serves under the alias now, where that was put there after the version of this run had already served. */
  async function findRollback(
    scope: Scope,
    wanted: { adapterVersionId: string; alias: string; deploymentId: string },
  ): Promise<{ deploymentId: string; note: string } | null> {
    const { adapter } = await getAdapterVersion(scope, wanted.adapterVersionId);
    const history = (await listAliasHistory(scope, adapter.id)).filter(({ entry }) => entry.alias === wanted.alias);
    const [current] = history;
    if (current === undefined || current.entry.adapterVersionId === wanted.adapterVersionId) return null;
    const before = history.find(({ entry }) => entry.adapterVersionId === wanted.adapterVersionId);
    // This run's own deployment that was taken back while it ran is retried on purpose.
    if (before === undefined || before.entry.deploymentId === wanted.deploymentId) return null;
    const name = `${adapter.name}@${wanted.alias}`;
    const note = `${name} was set to v${current.version} by ${current.entry.by} after v${before.version} had served, and stays so; deploy v${before.version} on the adapter's page to have it back.`;
    return { deploymentId: current.entry.deploymentId, note };
  }

  /** No request runs on the name, and no gateway routes as it was before `epoch`. */
  async function isIdle(servingName: string, epoch: number): Promise<boolean> {
    const { inFlight, gatewaysBehind } = await countInFlight(db, servingName, epoch);
    return inFlight === 0 && gatewaysBehind === 0;
  }

  return {
    /** A version that served before and was taken back by a person stays taken back: a run that made nothing new is no order. */
    async planDeployStage(input: StageInput): Promise<DeployInput | { leftAsItIs: StageCounts }> {
      const scope = scopeOf(input);
      const { outputs, startedBy } = await getRun(scope, input.runId);
      const { adapterVersionId } = outputs;
      if (adapterVersionId === undefined) {
        throw new AnnealError("CONFLICT", "The run has registered no adapter.", {
          action: "Retry the register stage.",
        });
      }
      const deploymentId = stableUuid([input.runId, adapterVersionId, input.settings.alias, "deploy"], sha256);
      const left = await findRollback(scope, { adapterVersionId, alias: input.settings.alias, deploymentId });
      if (left !== null) {
        await addRunOutputs(scope, input.runId, { deploymentId: left.deploymentId });
        return { leftAsItIs: { inCount: 1, outCount: 0, note: left.note } };
      }
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
      const { alias, servingName, adapterVersionId } = deployment;
      const serves = (await listCurrentAliases(scopeOf(input))).some(
        (entry) => entry.alias === alias && entry.adapterVersionId === adapterVersionId,
      );
      if (!serves) {
        throw new AnnealError("CONFLICT", `${servingName} was deployed, but ${alias} points elsewhere by now.`, {
          action: "Leave it so, or retry the deploy stage to deploy this version after all.",
        });
      }
      const count = deployment.replicaCount ?? 0;
      const note = `${servingName} on ${count} replica${count === 1 ? "" : "s"} in ${deployment.swapMs} ms.`;
      return { inCount: 1, outCount: 1, note };
    },

    async openDeployment(input: DeployInput): Promise<Target> {
      const scope = scopeOf(input);
      const { adapter, version } = await getAdapterVersion(scope, input.adapterVersionId);
      const servingName = nameOf(adapter.name, version.digest);
      const { deploymentId: id, adapterVersionId, alias, by } = input;
      const { workflowId } = activityInfo().workflowExecution!;
      await createDeployment(scope, { id, adapterVersionId, workflowId, alias, servingName, by });
      for (const other of await listRunningDeployments(scope, adapter.id, alias)) {
        if (other.id === id) continue;
        // One whose workflow is gone would keep its alias for ever.
        if (other.workflowId !== null && (await deps.hasWorkflowEnded(other.workflowId))) {
          await abandonDeployment(scope, other, deadDeployment().toReport());
          continue;
        }
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
      return recordStep({ scope: scopeOf(input), deploymentId: input.deploymentId, step: "load" }, async (told) => {
        const ready = await readyReplicas();
        await told.onEach(ready, async (replica) => {
          const residency = {
            replicaId: replica.id,
            servingName: input.servingName,
            objectPrefix: input.objectPrefix,
            workspaceId: input.workspaceId,
            desired: "resident" as const,
          };
          const before = (await listResidencies(db, replica.id)).find((each) => each.servingName === input.servingName);
          await saveResidency(db, { ...residency, observed: "loading" });
          try {
            await replicas.load(replica, input.servingName, input.objectPrefix);
            await observeResidency(db, residency, "resident");
          } catch (error) {
            const message = error instanceof Error ? error.message : String(error);
            // An alias may serve from what was there; what nothing uses is given back when the deployment ends.
            if (before?.observed === "resident") await observeResidency(db, residency, "resident", before.error);
            else await observeResidency(db, residency, "failed", message);
            throw error;
          }
          return null;
        });
        return { replicas: ready.length, detail: null };
      });
    },

    /** A real completion by each replica under the new name: a loaded adapter can still fail when it is used. */
    async probeReplicas(input: DeployInput & Target): Promise<{ detail: string | null }> {
      return recordStep({ scope: scopeOf(input), deploymentId: input.deploymentId, step: "probe" }, async (told) => {
        await told.onEach(await readyReplicas(), async (replica) => {
          const answer = await replicas.probe(replica, input.servingName, cancellationSignal());
          return answer.trim() === "" ? null : `said “${answer.trim().slice(0, 60)}”`;
        });
        return { detail: null };
      });
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
      return recordStep({ scope, deploymentId, step: "flip" }, async () => {
        const flip = await flipAlias(scope, { adapterId, alias, adapterVersionId, servingName, deploymentId, by });
        const { previousServingName: before } = flip;
        return { ...flip, detail: before === null ? "first version" : `was ${before}` };
      });
    },

    /** Waits until every gateway routes by the new epoch and none has a request on the old version. */
    async drainPrevious(
      input: DeployInput & { servingName: string | null; epoch: number },
    ): Promise<{ detail: string | null; skipped?: boolean }> {
      const { servingName, deploymentId, epoch } = input;
      return recordStep({ scope: scopeOf(input), deploymentId, step: "drain" }, async (told) => {
        if (servingName === null || (await isServingNameUsed(scopeOf(input), servingName))) {
          return { detail: "nothing to drain", skipped: true };
        }
        const deadline = Date.now() + drainTimeoutMs;
        for (;;) {
          const { inFlight, gatewaysBehind } = await countInFlight(db, servingName, epoch);
          if (inFlight === 0 && gatewaysBehind === 0) return { detail: "no request left" };
          if (Date.now() > deadline) {
            throw new AnnealError("DEPLOYMENT_FAILED", `${inFlight} requests still run on ${servingName}.`, {
              action: "The new version serves; the old one stays loaded. Deploy again later to unload it.",
            });
          }
          told.say(
            inFlight > 0
              ? `${inFlight} request${inFlight === 1 ? "" : "s"} in flight`
              : `${gatewaysBehind} gateway${gatewaysBehind === 1 ? " has" : "s have"} not seen the flip yet`,
          );
          heartbeat({ inFlight, gatewaysBehind });
          await sleep(50, undefined, { signal: cancellationSignal() });
        }
      });
    },

    /** Also what earlier deployments of the adapter had to leave loaded. */
    async unloadPrevious(
      input: DeployInput & { servingName: string | null },
    ): Promise<{ detail: string | null; skipped?: boolean }> {
      const { servingName, deploymentId } = input;
      return recordStep({ scope: scopeOf(input), deploymentId, step: "unload" }, async (told) => {
        const held = (await listHeldOfAdapter(input)).filter(
          (each) => each.servingName === servingName || each.desired === "resident",
        );
        const newestEpoch = await readAliasEpoch(db);
        const aliases = await listCurrentAliases(scopeOf(input));
        const flipEpoch = aliases.find((entry) => entry.deploymentId === deploymentId)?.seq ?? newestEpoch;
        const released: string[] = [];
        for (const name of new Set(held.map((each) => each.servingName))) {
          // One that was left loaded may still have requests; another deployment may be draining it now.
          if (!(await isIdle(name, name === servingName ? flipEpoch : newestEpoch))) continue;
          if (await releaseUnusedServingName(scopeOf(input), name)) released.push(name);
        }
        if (released.length === 0) return { detail: "nothing to unload", skipped: true };
        const heldBy = (replica: Replica) =>
          held.filter((each) => each.replicaId === replica.id && released.includes(each.servingName));
        const holders = (await readyReplicas()).filter((replica) => heldBy(replica).length > 0);
        await told.onEach(holders, async (replica) => {
          for (const each of heldBy(replica)) await replicas.unload(replica, each.servingName);
          return null;
        });
        return { detail: released.join(", ") };
      });
    },

    async reportDeployment(
      input: DeployInput & {
        steps: DeployStepState[];
        result: DeployResult | null;
        status: "running" | "done" | "failed";
        error: ErrorReport | null;
      },
    ): Promise<void> {
      const { steps: recorded, servingName } = await getDeployment(scopeOf(input), input.deploymentId);
      await updateDeployment(scopeOf(input), input.deploymentId, {
        status: input.status,
        steps: mergeSteps(recorded, input.steps),
        error: input.error,
        ...(input.result === null ? {} : { swapMs: input.result.swapMs, replicaCount: input.result.replicas }),
        ...(input.status === "running" ? {} : { endedAt: new Date() }),
      });
      // What failed before its flip leaves nothing loaded; after it, the alias uses the name.
      if (input.status === "failed") await releaseUnusedServingName(scopeOf(input), servingName);
    },
  };
}
