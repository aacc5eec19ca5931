"use client";

import { Rocket, Undo2 } from "lucide-react";
import { Button } from "#components/ui/button.tsx";
import { CopyButton } from "#components/ui/copy-button.tsx";
import { Panel } from "#components/ui/panel.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import type { AdapterView } from "#features/deploy/adapter-page.tsx";
import type { DeployTarget } from "#features/deploy/deploy-sheet.tsx";
import { previousVersion } from "#features/deploy/previous-version.ts";
import { AliasStatus } from "#features/deploy/serving-status.tsx";

type AliasPanelProps = { adapter: AdapterView; onDeploy: ((target: DeployTarget) => void) | null };

/** Where each alias points, on which engines, and the way back. */
export function AliasPanel({ adapter, onDeploy }: AliasPanelProps) {
  return (
    <Panel title="Serving" bodyClassName="p-0">
      {adapter.aliases.length === 0 ? (
        <p className="px-4 py-4 text-13 text-muted">
          No alias points here, so nothing asks this adapter. Deploy a version to give it a name that people and
          programs can use.
        </p>
      ) : (
        <ul className="divide-y divide-line">
          {adapter.aliases.map((alias) => {
            const back = previousVersion(adapter, alias);
            const newest = adapter.versions[0];
            const newer = newest && alias.version !== null && newest.version > alias.version ? newest : undefined;
            const name = `${adapter.name}@${alias.alias}`;
            return (
              <li key={alias.alias} className="px-4 py-3">
                <div className="flex items-center justify-between gap-3">
                  <span className="flex min-w-0 items-center gap-1 font-mono text-xs">
                    <span className="truncate">{name}</span>
                    <CopyButton text={name} label="Copy the model name" className="size-5" />
                  </span>
                  <AliasStatus serving={alias.serving} />
                </div>
                <p className="mt-1 text-13 text-muted">
                  <span className="font-medium text-ink">v{alias.version ?? "?"}</span> since{" "}
                  <RelativeTime time={alias.at} />, by {alias.by}
                </p>
                {alias.serving.replicas.length > 0 && (
                  <ul className="mt-1.5 space-y-0.5 text-xs text-muted">
                    {alias.serving.replicas.map((replica) => (
                      <li key={replica.replicaId} className="flex justify-between gap-3">
                        <span className="truncate font-mono text-2xs">{replica.url.replace(/^https?:\/\//, "")}</span>
                        <span title={replica.error ?? undefined}>
                          {replica.status === "ready" ? (replica.observed ?? "absent") : replica.status}
                        </span>
                      </li>
                    ))}
                  </ul>
                )}
                {onDeploy && (back || newer) && (
                  <div className="mt-2.5 flex flex-wrap gap-2">
                    {newer && (
                      <Button size="small" onClick={() => onDeploy({ version: newer, alias: alias.alias })}>
                        <Rocket aria-hidden /> Move to v{newer.version}
                      </Button>
                    )}
                    {back && (
                      <Button size="small" onClick={() => onDeploy({ version: back, alias: alias.alias })}>
                        <Undo2 aria-hidden /> Roll back to v{back.version}
                      </Button>
                    )}
                  </div>
                )}
              </li>
            );
          })}
        </ul>
      )}
    </Panel>
  );
}
