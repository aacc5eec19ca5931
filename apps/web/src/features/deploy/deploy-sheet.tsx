"use client";

import { skipToken, useMutation, useQuery } from "@tanstack/react-query";
import { ArrowRight, Rocket, Undo2 } from "lucide-react";
import { useId, useState } from "react";
import { nameSchema } from "@anneal/core/loop/settings";
import type { DeployStep, DeployStepState, ReplicaStepState } from "@anneal/core/deploy/contract";
import { Badge } from "#components/ui/badge.tsx";
import { Button } from "#components/ui/button.tsx";
import { Dialog, DialogClose, SheetContent } from "#components/ui/dialog.tsx";
import { ErrorNotice } from "#components/ui/error-state.tsx";
import { Field } from "#components/ui/form-field.tsx";
import { Input } from "#components/ui/input.tsx";
import { KeyValues } from "#components/ui/key-values.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import type { StatusKind } from "#components/ui/status.tsx";
import { Steps } from "#components/ui/steps.tsx";
import { AbandonDeployment } from "#features/deploy/abandon-deployment.tsx";
import type { AdapterView, VersionView } from "#features/deploy/adapter-page.tsx";
import { formatCount, formatDuration, formatSignificant } from "#lib/format.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { wireErrorOf } from "#lib/wire-error.ts";

export type DeployTarget = { version: VersionView; alias: string };
type Plan = Answers["deploy"]["preview"];

export const stepNames: Record<DeployStep, string> = {
  load: "Load",
  probe: "Probe",
  flip: "Flip",
  drain: "Drain",
  unload: "Unload",
};
const kinds: Record<DeployStepState["status"], StatusKind> = {
  waiting: "waiting",
  running: "running",
  done: "ready",
  skipped: "stopped",
  failed: "failed",
};

type DeploySheetProps = { adapter: AdapterView; target: DeployTarget; onClose(): void };

/** Says what will happen, then shows it happening. Closing leaves the deployment to itself. */
export function DeploySheet({ adapter, target: { version, alias: firstAlias }, onClose }: DeploySheetProps) {
  const trpc = useTRPC();
  const [alias, setAlias] = useState(firstAlias);
  const listId = useId();
  const parsed = nameSchema.safeParse(alias);
  const wanted = { adapterVersionId: version.id, alias };
  const start = useMutation(trpc.deploy.start.mutationOptions({ meta: { inlineError: true } }));
  const started = start.data?.deploymentId;
  const { data: plan, error: planError } = useQuery({
    ...trpc.deploy.preview.queryOptions(parsed.success && !started ? wanted : skipToken),
  });
  const [wasBack, setWasBack] = useState(false);
  // The plan is no longer asked for once it is carried out.
  const back = started ? wasBack : plan?.change === "back";
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <SheetContent
        title={`${back ? "Roll back to" : "Deploy"} ${adapter.name} v${version.version}`}
        description="Nothing that serves is touched until the new version has answered. Requests in flight end where they began."
        footer={
          started ? (
            <DialogClose asChild>
              <Button>Close</Button>
            </DialogClose>
          ) : (
            <>
              <DialogClose asChild>
                <Button>Cancel</Button>
              </DialogClose>
              <Button
                variant="primary"
                busy={start.isPending}
                disabled={!plan || plan.blockers.length > 0}
                onClick={() => {
                  setWasBack(back);
                  start.mutate(wanted);
                }}
              >
                {!start.isPending && (back ? <Undo2 aria-hidden /> : <Rocket aria-hidden />)}{" "}
                {back ? "Roll back" : plan?.change === "same" ? "Deploy again" : "Deploy"}
              </Button>
            </>
          )
        }
      >
        <div className="space-y-5">
          {started ? (
            <LiveDeployment deploymentId={started} name={`${adapter.name}@${alias}`} version={version.version} />
          ) : (
            <>
              <Field
                label="Alias"
                hint={`People and programs ask for ${adapter.name}@${alias || "…"}.`}
                error={parsed.success ? undefined : parsed.error.issues[0]?.message}
              >
                {(control) => (
                  <>
                    <Input
                      {...control}
                      value={alias}
                      list={listId}
                      onChange={(event) => setAlias(event.target.value.trim())}
                      className="font-mono"
                      autoComplete="off"
                      spellCheck={false}
                    />
                    <datalist id={listId}>
                      {[...new Set([...adapter.aliases.map((each) => each.alias), "production", "canary"])].map(
                        (each) => (
                          <option key={each} value={each} />
                        ),
                      )}
                    </datalist>
                  </>
                )}
              </Field>
              {planError ? (
                <ErrorNotice error={wireErrorOf(planError)} />
              ) : (
                parsed.success && (plan ? <Preview plan={plan} alias={alias} /> : <SkeletonRows rows={8} />)
              )}
              {start.error && <ErrorNotice error={wireErrorOf(start.error)} />}
            </>
          )}
        </div>
      </SheetContent>
    </Dialog>
  );
}

function Preview({ plan, alias }: { plan: Plan; alias: string }) {
  return (
    <section aria-label="What will happen" className="space-y-4">
      <div className="flex flex-wrap items-center gap-2 rounded-panel border border-line bg-sunken px-3 py-2.5 text-13">
        <span className="font-mono text-xs">@{alias}</span>
        <Badge>
          {plan.replaces ? `v${plan.replaces.version}` : plan.change === "same" ? `v${plan.version}` : "nothing"}
        </Badge>
        <ArrowRight aria-label="becomes" className="size-3.5 text-faint" />
        <Badge tone="accent">v{plan.version}</Badge>
        <span className="ml-auto font-mono text-2xs break-all text-faint">{plan.servingName}</span>
      </div>
      {plan.blockers.map((text, index) => (
        <ErrorNotice
          key={text}
          error={{ code: "CONFLICT", message: text, action: "It cannot start until this is different." }}
        >
          {index === 0 && plan.underWay && <AbandonDeployment deploymentId={plan.underWay} />}
        </ErrorNotice>
      ))}
      {plan.warnings.map((text) => (
        <p key={text} className="rounded-panel border border-waiting/40 bg-waiting/8 px-3 py-2 text-13">
          {text}
        </p>
      ))}
      <KeyValues
        items={[
          { label: `v${plan.version}`, value: <EvaluationLine evaluation={plan.evaluation.version} /> },
          ...(plan.replaces
            ? [
                {
                  label: `v${plan.replaces.version}, which serves`,
                  value: <EvaluationLine evaluation={plan.evaluation.current} />,
                },
              ]
            : []),
          ...(plan.assistants.length > 0
            ? [{ label: "Assistants that change", value: plan.assistants.join(", ") }]
            : []),
        ]}
      />
      <div>
        <h3 className="mb-2 text-13 font-semibold">What will happen</h3>
        <Steps
          label="What will happen"
          steps={plan.steps.map(({ step, text, skipped }) => ({
            id: step,
            label: stepNames[step],
            kind: skipped ? ("stopped" as const) : ("waiting" as const),
            detail: text,
          }))}
        />
      </div>
    </section>
  );
}

function EvaluationLine({ evaluation }: { evaluation: Plan["evaluation"]["version"] }) {
  if (evaluation === null) return <span className="text-muted">nothing was held out to measure it</span>;
  const { loss, baseLoss, examples } = evaluation;
  return (
    <>
      evaluation loss {formatSignificant(loss)}
      {baseLoss !== null && `, base model ${formatSignificant(baseLoss)}`}
      {examples !== null && `, on ${formatCount(examples, "held-out example")}`}
    </>
  );
}

function LiveDeployment({ deploymentId, name, version }: { deploymentId: string; name: string; version: number }) {
  const trpc = useTRPC();
  // Live: the worker records each step as it happens.
  const { data, error } = useQuery(trpc.deploy.progress.queryOptions({ deploymentId }));
  if (error && !data) return <ErrorNotice error={wireErrorOf(error)} />;
  if (!data) return <SkeletonRows rows={8} />;
  return (
    <section aria-label="What happens now" className="space-y-4">
      <p className="text-13" role="status">
        {data.status === "running" ? (
          "It goes on when you close this; the adapter's page shows how it ended."
        ) : data.status === "done" ? (
          <DoneLine name={name} version={version} swapMs={data.swapMs} />
        ) : (
          "It failed, and whatever served before the flip still serves."
        )}
      </p>
      <Steps
        label="Deployment"
        steps={data.steps.map(({ step, status, durationMs, detail, replicas }) => ({
          id: step,
          label: stepNames[step],
          kind: kinds[status],
          durationMs: status === "waiting" || status === "running" ? null : durationMs,
          detail: (detail || replicas?.length) && (
            <>
              {detail}
              {replicas && <OnEngines step={step} replicas={replicas} />}
            </>
          ),
        }))}
      />
      {data.error && <ErrorNotice error={data.error} />}
    </section>
  );
}

const engineWords: Record<DeployStep, { running: string; done: string }> = {
  load: { running: "loading", done: "loaded" },
  probe: { running: "asking", done: "answered" },
  flip: { running: "flipping", done: "flipped" },
  drain: { running: "draining", done: "drained" },
  unload: { running: "unloading", done: "unloaded" },
};

function OnEngines({ step, replicas }: { step: DeployStep; replicas: readonly ReplicaStepState[] }) {
  return (
    <ul className="space-y-0.5">
      {replicas.map(({ url, status, durationMs, detail }) => (
        <li key={url} className="flex flex-wrap items-baseline justify-between gap-x-3">
          <span className="font-mono text-2xs">{url.replace(/^https?:\/\//, "")}</span>
          <span className={status === "failed" ? "text-failed" : undefined}>
            {status === "failed" ? "failed" : engineWords[step][status]}
            {durationMs !== null && ` in ${formatDuration(durationMs)}`}
            {detail && <span className="text-faint"> · {detail}</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}

function DoneLine({ name, version, swapMs }: { name: string; version: number; swapMs: number | null }) {
  return (
    <>
      <span className="font-mono text-xs">{name}</span> answers with version {version} now
      {swapMs !== null && `; the change took ${formatDuration(swapMs)}`}.
    </>
  );
}
