"use client";

import { useMutation } from "@tanstack/react-query";
import { Panel } from "#components/ui/panel.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import type { PoolsView } from "#features/pools/pools-page.tsx";
import { Stepper } from "#features/pools/stepper.tsx";
import { useOptimisticOverview } from "#features/pools/use-optimistic-overview.ts";
import { formatCount } from "#lib/format.ts";
import { useTRPC } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";

type Target = PoolsView["targets"][number];
type Wanted = Pick<Target, "baseModel" | "mode" | "desired" | "minReplicas" | "maxReplicas">;

const mostReplicas = 64;
const modes = [
  { mode: "manual", label: "By hand" },
  { mode: "automatic", label: "Automatic" },
] as const;

/** How many engines of each base model there should be, who decides that, and why it is as it is. */
export function ServingTargets({ view: { targets, replicas } }: { view: PoolsView }) {
  if (targets.length === 0) return null;
  return (
    <Panel title="Engines wanted" bodyClassName="p-0 divide-y divide-line">
      {targets.map((target) => (
        <ServingTarget
          key={target.baseModel}
          target={target}
          replicas={replicas.filter(({ baseModel }) => baseModel === target.baseModel)}
        />
      ))}
    </Panel>
  );
}

function ServingTarget({ target, replicas }: { target: Target; replicas: PoolsView["replicas"] }) {
  const trpc = useTRPC();
  const { role } = useWorkspace();
  const optimistic = useOptimisticOverview<Wanted>((view, wanted) => ({
    ...view,
    targets: view.targets.map((each) => (each.baseModel === wanted.baseModel ? { ...each, ...wanted } : each)),
  }));
  const save = useMutation(trpc.pools.setServingTarget.mutationOptions(optimistic));
  const { baseModel, mode, desired, minReplicas, maxReplicas } = target;
  const set = (changes: Partial<Wanted>) => {
    const next = { baseModel, mode, desired, minReplicas, maxReplicas, ...changes };
    const within = Math.min(next.maxReplicas, Math.max(next.minReplicas, next.desired));
    save.mutate(next.mode === "automatic" ? { ...next, desired: within } : next);
  };
  const ready = replicas.filter(({ status }) => status === "ready").length;
  const starting = replicas.filter(({ status }) => status === "starting").length;
  const draining = replicas.filter(({ status }) => status === "draining" || status === "drained").length;
  const now = [
    `${ready} ready`,
    ...(starting > 0 ? [`${starting} starting`] : []),
    ...(draining > 0 ? [`${draining} draining`] : []),
  ].join(", ");
  return (
    <section aria-label={`Engines of ${baseModel}`} className="px-4 py-3">
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
        <h3 className="min-w-0 text-13">
          <span className="font-semibold break-all">{baseModel}</span>
          <span className="tabular ml-2 text-muted">
            {formatCount(desired, "engine")} wanted, {now}
          </span>
        </h3>
        {role === "admin" ? (
          <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
            <ModeChoice value={mode} onChange={(next) => set({ mode: next })} />
            {mode === "manual" ? (
              <Stepper
                label="Engines"
                value={desired}
                min={1}
                max={mostReplicas}
                onChange={(next) => set({ desired: next })}
              />
            ) : (
              <span className="flex items-center gap-2 text-13 text-muted">
                at least
                <Stepper
                  label="At least"
                  value={minReplicas}
                  min={1}
                  max={maxReplicas}
                  onChange={(next) => set({ minReplicas: next })}
                />
                at most
                <Stepper
                  label="At most"
                  value={maxReplicas}
                  min={minReplicas}
                  max={mostReplicas}
                  onChange={(next) => set({ maxReplicas: next })}
                />
              </span>
            )}
          </div>
        ) : (
          <span className="text-13 text-muted">
            {mode === "manual" ? "set by hand" : `automatic, ${minReplicas} to ${maxReplicas}`}
          </span>
        )}
      </div>
      <div className="mt-1.5 text-13 text-muted">
        {target.reasons.length === 0 ? (
          <p>
            {mode === "manual"
              ? "As many as the stack was started with."
              : "The load of the next minutes decides; the first decision follows shortly."}
          </p>
        ) : (
          target.reasons.map((reason) => <p key={reason}>{reason}</p>)
        )}
        <p className="mt-0.5 text-xs text-faint">
          Decided <RelativeTime time={target.decidedAt} />. One that goes is drained first: it ends what it answers.
        </p>
      </div>
    </section>
  );
}

function ModeChoice({ value, onChange }: { value: Target["mode"]; onChange(value: Target["mode"]): void }) {
  return (
    <span role="group" aria-label="Who decides" className="flex rounded-control border border-line-strong p-0.5">
      {modes.map(({ mode, label }) => (
        <button
          key={mode}
          type="button"
          aria-pressed={value === mode}
          onClick={() => value !== mode && onChange(mode)}
          className="rounded-[4px] px-2 text-13 leading-6 text-muted hover:text-ink aria-pressed:bg-sunken aria-pressed:font-medium aria-pressed:text-ink dark:aria-pressed:bg-raised"
        >
          {label}
        </button>
      ))}
    </span>
  );
}
