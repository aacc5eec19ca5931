import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { isAnnealError } from "@anneal/core/errors";
import type { Identity } from "#server/auth/identity.ts";

/** What a model call is counted under. `model` is the name that was asked for, which outlives the serving names behind it. */
export type CallLabels = { workspace: string; model: string; kind: "base" | "adapter" | "assistant" };

/** A call of a model from its beginning to its end; the first `end` counts, later ones do nothing. */
export type MeteredCall = {
  firstToken(): void;
  /** @param outcome "ok", "cancelled", "failed", or the code of the error that refused the call */
  end(outcome: string): void;
};

export type Metrics = ReturnType<typeof createMetrics>;

/** Models deleted and made anew for weeks must not grow the answer without end: what comes later is "other". */
const maxModels = 200;
const callLabels = ["workspace", "model", "kind"] as const;

const shared = globalThis as typeof globalThis & { annealMetrics?: Metrics };

/** One registry for the process, whichever bundle asks. */
export function metrics(): Metrics {
  if (!shared.annealMetrics) {
    shared.annealMetrics = createMetrics();
    collectDefaultMetrics({ register: shared.annealMetrics.registry });
  }
  return shared.annealMetrics;
}

export function createMetrics(capacity = maxModels) {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: "anneal_gateway_requests_total",
    help: "Model calls that ended, by outcome: ok, cancelled, failed, or the code of the error.",
    labelNames: [...callLabels, "outcome"],
    registers,
  });
  const inFlight = new Gauge({
    name: "anneal_gateway_in_flight",
    help: "Model calls that have not ended.",
    labelNames: callLabels,
    registers,
  });
  const firstToken = new Histogram({
    name: "anneal_gateway_time_to_first_token_seconds",
    help: "From the call to the first token of a streamed answer.",
    labelNames: callLabels,
    buckets: [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const duration = new Histogram({
    name: "anneal_gateway_duration_seconds",
    help: "From the call to its end, whatever the outcome.",
    labelNames: callLabels,
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
    registers,
  });
  const tokens = new Counter({
    name: "anneal_gateway_tokens_total",
    help: "Tokens, by direction: prompt or completion.",
    labelNames: ["workspace", "model", "direction"],
    registers,
  });
  const answers = new Counter({
    name: "anneal_assistant_answers_total",
    help: "Answers of assistants, by how they stand to the documents: grounded, quoted, refused ...",
    labelNames: ["workspace", "model", "outcome"],
    registers,
  });

  const known = new Set<string>();
  function boundedModel({ workspace, model }: { workspace: string; model: string }): string {
    const key = JSON.stringify([workspace, model]);
    if (known.has(key)) return model;
    if (known.size >= capacity) return "other";
    known.add(key);
    return model;
  }

  return {
    registry,

    beginCall(call: CallLabels): MeteredCall {
      const labels = { ...call, model: boundedModel(call) };
      const startedAt = performance.now();
      const seconds = () => (performance.now() - startedAt) / 1000;
      let state: "waiting" | "answering" | "ended" = "waiting";
      inFlight.inc(labels);
      return {
        firstToken() {
          if (state !== "waiting") return;
          state = "answering";
          firstToken.observe(labels, seconds());
        },
        end(outcome) {
          if (state === "ended") return;
          state = "ended";
          inFlight.dec(labels);
          requests.inc({ ...labels, outcome });
          duration.observe(labels, seconds());
        },
      };
    },

    countTokens(identity: Identity, model: string, counted: { promptTokens: number; completionTokens: number }): void {
      const { workspaceId: workspace } = identity;
      const labels = { workspace, model: boundedModel({ workspace, model }) };
      tokens.inc({ ...labels, direction: "prompt" }, counted.promptTokens);
      tokens.inc({ ...labels, direction: "completion" }, counted.completionTokens);
    },

    countAnswer(identity: Identity, model: string, outcome: string): void {
      const { workspaceId: workspace } = identity;
      answers.inc({ workspace, model: boundedModel({ workspace, model }), outcome });
    },

    /** In Prometheus' text format: this workspace's numbers and the process's own, never another workspace's. */
    async describeFor(workspaceId: string): Promise<string> {
      const lines = (await registry.metrics()).split("\n");
      // A quote inside a label's value is written \", so that no value can pass for the label.
      const owner = /[{,]workspace="([^"\\]*)"/;
      return lines.filter((line) => (owner.exec(line)?.[1] ?? workspaceId) === workspaceId).join("\n");
    },
  };
}

/** How a call ended that threw. Codes are a fixed list, so that they are safe as a label. */
export function failureOutcome(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return "cancelled";
  return isAnnealError(error) ? error.code : "failed";
}
