"use client";

import { Link2 } from "lucide-react";
import { useDeferredValue, useMemo, useState } from "react";
import { toast } from "sonner";
import { Button } from "#components/ui/button.tsx";
import { Page } from "#components/ui/page.tsx";
import { describeModel } from "#features/planner/describe-model.ts";
import { LimitsPanel } from "#features/planner/limits-panel.tsx";
import { LoadPanel } from "#features/planner/load-panel.tsx";
import { ModelPanel } from "#features/planner/model-panel.tsx";
import { openModels } from "#features/planner/open-models.ts";
import { readPastedConfig } from "#features/planner/pasted-config.ts";
import { PlannerResult, ShortAnswer } from "#features/planner/planner-result.tsx";
import { pastedModel, toBrief, type NamedModel } from "#features/planner/planner-state.ts";
import { isPreset, presets } from "#features/planner/presets.ts";
import { usePlannerAnswer, type PlannerError } from "#features/planner/use-planner-answer.ts";
import { usePlannerState, type PlannerInputs } from "#features/planner/use-planner-state.ts";
import { cn } from "#lib/class-names.ts";

/** From a model and a load to the GPUs that carry it. All of it is worked out in the browser; nothing is sent. */
export function PlannerPage() {
  const inputs = usePlannerState();
  const { state, change } = inputs;
  const { model, problem } = useNamedModel(inputs);
  const brief = useMemo(() => (model === null ? null : toBrief(state, model)), [state, model]);
  const answer = usePlannerAnswer(brief);
  const result = useMemo(() => ({ state, answer, brief, problem }), [state, answer, brief, problem]);
  const shown = useDeferredValue(result);
  const pending = shown !== result || (brief === null ? problem === null : answer.pending);
  const facts = useMemo(() => (model === null ? null : describeModel(model.config)), [model]);
  const unread = answer.error?.code === "UNKNOWN_ARCHITECTURE" ? answer.error.message : null;
  const problemOf = (...fields: string[]) => fieldProblem(answer.error, fields);
  return (
    <Page
      title="Planner"
      description="Which GPUs a model needs for a load: does it fit, how fast is it, how many, and what they cost. Worked out in this browser; move anything and see."
      actions={<CopyLink link={inputs.link} />}
    >
      <Presets inputs={inputs} />
      <div className="grid grid-cols-1 items-start gap-6 xl:grid-cols-[21rem_minmax(0,1fr)]">
        <form
          aria-label="Model and load"
          onSubmit={(event) => event.preventDefault()}
          className="min-w-0 space-y-4 xl:sticky xl:top-16 xl:max-h-[calc(100dvh-5rem)] xl:overflow-y-auto"
        >
          <ModelPanel
            model={state.model}
            onModel={(next) => change({ model: next })}
            config={model?.config ?? null}
            text={inputs.configText ?? ""}
            onText={inputs.setConfigText}
            problem={problem ?? unread}
          />
          <LoadPanel
            state={state}
            change={change}
            workload={answer.preview?.workload ?? null}
            maxPositions={facts?.maxPositions ?? null}
            problemOf={problemOf}
          />
          <LimitsPanel state={state} change={change} problemOf={problemOf} />
        </form>
        <div
          id="answer"
          aria-busy={pending}
          className={cn("min-w-0 scroll-mt-16", pending && "opacity-70 transition-opacity delay-150 duration-200")}
        >
          <PlannerResult {...shown} change={change} />
        </div>
      </div>
      <ShortAnswer answer={answer} />
    </Page>
  );
}

/** The model that is planned for; null while what was pasted is none yet, with the reason. */
function useNamedModel({ state, configText, linkBroken }: PlannerInputs): {
  model: NamedModel | null;
  problem: string | null;
} {
  return useMemo(() => {
    const known = openModels.find(({ id }) => id === state.model);
    if (known) {
      const { repository, licence, config } = known;
      return { model: { id: repository, licence, config }, problem: null };
    }
    if (configText === null) return { model: null, problem: null };
    if (linkBroken)
      return { model: null, problem: "The link names a pasted model and does not carry it. Paste its config.json." };
    const { config, problem } = readPastedConfig(configText);
    return { model: config === null ? null : { config }, problem };
  }, [state.model, configText, linkBroken]);
}

function fieldProblem(error: PlannerError | null, fields: readonly string[]): { error?: string } {
  if (error === null || error.code === "UNKNOWN_ARCHITECTURE") return {};
  const named = String(error.details["field"] ?? "");
  return fields.some((field) => named === field || named.startsWith(`${field}.`)) ? { error: error.message } : {};
}

function Presets({ inputs: { state, change } }: { inputs: PlannerInputs }) {
  return (
    <section aria-label="Worked cases" className="mb-5 flex flex-wrap items-center gap-2">
      <span className="text-13 text-muted">Start from</span>
      {presets.map((preset) => (
        <button
          key={preset.title}
          type="button"
          title={preset.hint}
          aria-pressed={isPreset(preset, state)}
          onClick={() => change(preset.state)}
          className="h-7 rounded-full border border-line-strong bg-panel px-3 text-13 hover:border-faint aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:text-accent"
        >
          {preset.title}
        </button>
      ))}
      {state.model !== pastedModel && (
        <button
          type="button"
          onClick={() => change({ model: pastedModel })}
          className="h-7 rounded-full border border-dashed border-line-strong px-3 text-13 text-muted hover:border-faint hover:text-ink"
        >
          Paste a config.json
        </button>
      )}
    </section>
  );
}

function CopyLink({ link }: { link(): Promise<string> }) {
  const [busy, setBusy] = useState(false);
  return (
    <Button
      busy={busy}
      onClick={async () => {
        setBusy(true);
        try {
          await navigator.clipboard.writeText(await link());
          toast.success("The link is copied. It opens the planner as it stands here.");
        } catch {
          toast.error("The browser did not allow copying. Copy the address instead: it says the same.");
        } finally {
          setBusy(false);
        }
      }}
    >
      {!busy && <Link2 aria-hidden />} Copy link
    </Button>
  );
}
