import { estimateServingMemory } from "./memory/serving-memory.ts";
import { makePlans } from "./plan/plan.ts";
import { SizingError } from "./sizing-error.ts";
import { estimateLatency } from "./speed/estimate-latency.ts";
import type { LatencyRequest } from "./speed/latency-request.ts";
import { estimateTraining } from "./training/estimate-training.ts";
import type { TrainingRequest } from "./training/training-request.ts";

/** What `anneal size --json` and other callers from outside may ask; each function reads its request itself. */
const operations = {
  "serving-memory": estimateServingMemory,
  "training-memory": (request) => estimateTraining(request as TrainingRequest),
  latency: (request) => estimateLatency(request as LatencyRequest),
  plan: (request) => makePlans((request as { brief?: unknown }).brief),
} satisfies Record<string, (request: unknown) => unknown>;

export type SizingAnswerError = { error: { code: string; message: string; details: Record<string, unknown> } };

/**
 * Answers one request `{ op, … }` of any kind. What is wrong with it is part of the answer and never thrown: a
 * SizingError as it is, anything unforeseen with the code INTERNAL.
 */
export function answerSizingRequest(request: unknown): unknown {
  try {
    return findOperation(request)(request);
  } catch (error) {
    return describeSizingError(error);
  }
}

export function describeSizingError(error: unknown): SizingAnswerError {
  if (error instanceof SizingError) {
    return { error: { code: error.code, message: error.message, details: error.details } };
  }
  const cause = error instanceof Error ? error.message : String(error);
  return { error: { code: "INTERNAL", message: `Sizing failed where it should not: ${cause}.`, details: {} } };
}

function findOperation(request: unknown): (request: unknown) => unknown {
  const known = Object.keys(operations);
  if (typeof request !== "object" || request === null || Array.isArray(request)) {
    const kind = request === null ? "null" : Array.isArray(request) ? "a list" : `a ${typeof request}`;
    throw new SizingError(
      "INVALID_REQUEST",
      `A request is an object with a field op (${known.join(", ")}), not ${kind}.`,
      {
        field: "op",
        known,
      },
    );
  }
  const { op } = request as { op?: unknown };
  if (typeof op === "string" && Object.hasOwn(operations, op)) return operations[op as keyof typeof operations];
  const found = op === undefined ? "missing" : (JSON.stringify(op) ?? String(op)).slice(0, 80);
  throw new SizingError("INVALID_REQUEST", `The field op is ${found}; it must be one of ${known.join(", ")}.`, {
    field: "op",
    value: op,
    known,
  });
}
