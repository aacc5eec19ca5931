import type { DeployStep, DeployStepState, ReplicaStepState } from "@anneal/core/deploy/contract";
import { AnnealError } from "@anneal/core/errors";
import type { Scope } from "@anneal/db/database";
import { recordDeployStep } from "@anneal/db/queries/deploy";
import type { Replica } from "@anneal/db/queries/serving";

/** How a step tells what it does while it does it. */
export type StepTeller = {
  /** A new word on the whole step; the same one again costs nothing. */
  say(detail: string): void;
  /** Does the work on all engines at once, and tells of each; the work returns what is worth knowing of it. */
  onEach(replicas: readonly Replica[], work: (replica: Replica) => Promise<string | null>): Promise<void>;
};

/** Records a step of a deployment as it happens: that it began, what each engine does, and how it ended. */
export async function recordStep<T extends { detail: string | null; skipped?: boolean }>(
  { scope, deploymentId, step }: { scope: Scope; deploymentId: string; step: DeployStep },
  work: (told: StepTeller) => Promise<T>,
): Promise<T> {
  const startedAt = Date.now();
  let state: DeployStepState = { step, status: "running", durationMs: null, detail: null };
  let saved: DeployStepState | null = null;
  let saving: Promise<void> | null = null;

  async function save(): Promise<void> {
    try {
      while (saved !== state) {
        const next = state;
        await recordDeployStep(scope, deploymentId, next);
        saved = next;
      }
    } finally {
      // In the same breath as the comparison: a later state finds nobody at work and begins anew.
      saving = null;
    }
  }
  /** Beside the work, which does not wait for it: states that are over before they could be written are left out. */
  function write(change: Partial<DeployStepState>): Promise<void> {
    state = { ...state, ...change };
    const written = (saving ??= save());
    // Who ends the step waits for it, and hears of a failure.
    written.catch(() => undefined);
    return written;
  }

  const told: StepTeller = {
    say(detail) {
      if (detail !== state.detail) void write({ detail });
    },
    async onEach(replicas, workOn) {
      const states = replicas.map(({ url }): ReplicaStepState => ({
        url,
        status: "running",
        durationMs: null,
        detail: null,
      }));
      void write({ replicas: states });
      const results = await Promise.allSettled(
        replicas.map(async (replica, index) => {
          const began = Date.now();
          try {
            states[index] = { ...states[index]!, status: "done", detail: await workOn(replica) };
          } catch (error) {
            states[index] = { ...states[index]!, status: "failed", detail: sentenceOf(error) };
            throw error;
          } finally {
            states[index] = { ...states[index]!, durationMs: Date.now() - began };
            void write({ replicas: [...states] });
          }
        }),
      );
      const failed = results.find((result) => result.status === "rejected");
      if (failed) throw failed.reason;
    },
  };

  void write({});
  try {
    const result = await work(told);
    await write({
      status: result.skipped ? "skipped" : "done",
      detail: result.detail,
      durationMs: Date.now() - startedAt,
    });
    return result;
  } catch (error) {
    const final = error instanceof AnnealError && !error.retryable;
    // What is tried again has not failed yet; the workflow has the last word.
    await write(
      final
        ? { status: "failed", detail: sentenceOf(error), durationMs: Date.now() - startedAt }
        : { detail: `${sentenceOf(error)} It is tried again.` },
    ).catch(() => undefined);
    throw error;
  }
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
