import type { ErrorReport } from "@anneal/core/errors";
import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TimeoutFailure } from "@temporalio/workflow";

/** The report inside whatever Temporal wrapped round it; anything else is a bug, told as such. */
export function reportOf(error: unknown): ErrorReport {
  let current: unknown = error;
  while (current instanceof ActivityFailure || current instanceof ChildWorkflowFailure) current = current.cause;
  if (current instanceof ApplicationFailure) {
    const report = current.details?.[0];
    if (typeof report === "object" && report !== null && "code" in report) return report as ErrorReport;
  }
  if (current instanceof TimeoutFailure) {
    return {
      code: "ENGINE_UNAVAILABLE",
      message: "The work took too long, or the process that did it died.",
      action: "Check that the worker and the engines run, then retry the stage.",
    };
  }
  return {
    code: "ENGINE_UNAVAILABLE",
    message: `Something unexpected went wrong: ${current instanceof Error ? current.message : String(current)}`,
    action: "Retry the stage; if it happens again, look at the worker's log with this run's id.",
  };
}

/** For Temporal's own list of failed workflows; what people see is in the run's row. */
export function failWith(report: ErrorReport): ApplicationFailure {
  return ApplicationFailure.create({
    type: report.code,
    message: report.message,
    nonRetryable: true,
    details: [report],
  });
}
