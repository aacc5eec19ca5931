"use client";

import { Panel } from "#components/ui/panel.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { StatusIcon, type StatusKind } from "#components/ui/status.tsx";
import { AbandonDeployment } from "#features/deploy/abandon-deployment.tsx";
import type { AdapterView } from "#features/deploy/adapter-page.tsx";
import { stepNames, type DeployTarget } from "#features/deploy/deploy-sheet.tsx";
import { formatDuration } from "#lib/format.ts";

const kinds: Record<AdapterView["deployments"][number]["status"], StatusKind> = {
  running: "running",
  done: "ready",
  failed: "failed",
};

type DeploymentHistoryProps = { adapter: AdapterView; onDeploy: ((target: DeployTarget) => void) | null };

/** Which version served when, and every attempt to change it: the newest first. */
export function DeploymentHistory({ adapter, onDeploy }: DeploymentHistoryProps) {
  const flips = new Map(
    adapter.history.map((entry, index) => [
      entry.seq,
      adapter.history.slice(index + 1).find((each) => each.alias === entry.alias),
    ]),
  );
  return (
    <Panel title="History" bodyClassName="p-0">
      {adapter.deployments.length === 0 ? (
        <p className="px-4 py-4 text-13 text-muted">Nothing was deployed yet.</p>
      ) : (
        <ol className="max-h-[32rem] divide-y divide-line overflow-y-auto" tabIndex={0} aria-label="History">
          {adapter.deployments.map((deployment) => {
            const flip = adapter.history.find((entry) => entry.deploymentId === deployment.id);
            const before = flip && flips.get(flip.seq);
            const version = adapter.versions.find((each) => each.id === deployment.adapterVersionId);
            const failedStep = deployment.steps.find((step) => step.status === "failed");
            return (
              <li key={deployment.id} className="flex gap-3 px-4 py-3 text-13">
                <StatusIcon kind={kinds[deployment.status]} className="mt-0.5" />
                <div className="min-w-0 flex-1">
                  <p className="flex flex-wrap items-baseline justify-between gap-x-3">
                    <span>
                      <span className="font-mono text-xs">@{deployment.alias}</span>{" "}
                      {before && before.version !== deployment.version && (
                        <span className="text-faint">v{before.version} → </span>
                      )}
                      <span className="font-medium">v{deployment.version}</span>
                      {before && before.version > deployment.version && (
                        <span className="text-muted"> rolled back</span>
                      )}
                    </span>
                    <RelativeTime time={deployment.createdAt} className="text-xs text-faint" />
                  </p>
                  <p className="text-xs text-muted">
                    {deployment.status === "failed" ? (
                      <>
                        Failed
                        {failedStep &&
                          ` in ${stepNames[failedStep.step as keyof typeof stepNames].toLowerCase()}`}:{" "}
                        {deployment.error?.message}
                      </>
                    ) : (
                      <>
                        by {deployment.by}
                        {deployment.swapMs !== null && `, in ${formatDuration(deployment.swapMs)}`}
                      </>
                    )}
                  </p>
                  {onDeploy && deployment.status === "running" && (
                    <div className="mt-1.5">
                      <AbandonDeployment deploymentId={deployment.id} />
                    </div>
                  )}
                  {deployment.status === "failed" && deployment.error && (
                    <p className="mt-0.5 text-xs text-muted">{deployment.error.action}</p>
                  )}
                  {onDeploy && version && deployment.status === "failed" && (
                    <button
                      type="button"
                      className="mt-1 text-xs text-accent hover:underline"
                      onClick={() => onDeploy({ version, alias: deployment.alias })}
                    >
                      Try again
                    </button>
                  )}
                </div>
              </li>
            );
          })}
        </ol>
      )}
    </Panel>
  );
}
