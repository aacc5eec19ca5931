import { z } from "zod";
import { AnnealError, errorCodes, type ErrorReport } from "../errors.ts";
import { capabilityChecksSchema, type CapabilityCheck } from "./capability-check.ts";

/** What trying a source came to: `summary` is one sentence of what answers, and a first count or sample of what it holds. */
export type CheckOutcome =
  | { status: "ok"; summary: string; checks: CapabilityCheck[] }
  | { status: "failed"; error: ErrorReport; checks: CapabilityCheck[] };

export type FoundSource = { summary: string; checks: CapabilityCheck[] };

/** A worker or a portal of before there was a list says its warnings alone, and not of what. */
export const foundSourceSchema: z.ZodType<FoundSource> = z
  .object({
    summary: z.string(),
    checks: capabilityChecksSchema.optional(),
    warnings: z.array(z.string()).default([]),
  })
  .transform(({ summary, checks, warnings }) => ({
    summary,
    checks:
      checks ?? warnings.map((message): CapabilityCheck => ({ capability: "source", status: "warning", message })),
  }));

const failedSchema = z.object({
  error: z.object({
    code: z.enum(errorCodes),
    message: z.string(),
    action: z.string(),
    details: z.record(z.string(), z.unknown()).optional(),
  }),
  checks: capabilityChecksSchema.default([]),
});

/** @throws ZodError when it is no worker's answer */
export function parseCheckOutcome(answer: unknown): CheckOutcome {
  const { status } = z.object({ status: z.enum(["ok", "failed"]) }).parse(answer);
  if (status === "ok") return { status, ...foundSourceSchema.parse(answer) };
  const { error, checks } = failedSchema.parse(answer);
  const { details, ...report } = error;
  return { status, error: { ...report, ...(details ? { details } : {}) }, checks };
}

/** Whatever a connector's `check` found, none of it left out. */
export function toCheckOutcome(
  result: (FoundSource & { error: null }) | { checks: CapabilityCheck[]; error: ErrorReport },
): CheckOutcome {
  const { checks, error } = result;
  return error === null ? { status: "ok", summary: result.summary, checks } : { status: "failed", error, checks };
}

/**
 * A failed check as an error that carries the whole list, so that it crosses every boundary that errors cross.
 * `readFailedChecks` takes it out again.
 */
export function failedCheckError({ error, checks }: { error: ErrorReport; checks: CapabilityCheck[] }): AnnealError {
  const { code, message, action, details } = error;
  return new AnnealError(code, message, { action, details: { ...details, checks } });
}

/**
 * @param error shown above the list
 * @returns the list that it carries; empty where that says nothing which the error does not, and where it carries none
 */
export function readFailedChecks({ message, details }: Pick<ErrorReport, "message" | "details">): CapabilityCheck[] {
  const checks = capabilityChecksSchema.safeParse(details?.["checks"]).data ?? [];
  return checks.every((check) => check.message === message) ? [] : checks;
}
