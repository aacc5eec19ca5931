import { diskFullError, isDiskFull } from "@anneal/core/disk-full";
import { AnnealError, errorCodes, type ErrorCode, type ErrorReport } from "@anneal/core/errors";
import { ApplicationFailure } from "@temporalio/common";
import { dropParameters } from "./drop-parameters.ts";

/** How Temporal treats each expected failure, unless the error itself says that it is retryable. */
const retriesByCode = {
  INVALID_INPUT: false,
  REQUEST_TOO_LARGE: false,
  METHOD_NOT_ALLOWED: false,
  UNAUTHENTICATED: false,
  FORBIDDEN: false,
  NOT_FOUND: false,
  CONFLICT: false,
  SOURCE_UNREACHABLE: true,
  SOURCE_NOT_FOUND: false,
  SOURCE_FORBIDDEN: false,
  SOURCE_CREDENTIALS: false,
  SOURCE_EMPTY: false,
  DOCUMENT_TOO_LARGE: false,
  DOCUMENT_ENCRYPTED: false,
  DOCUMENT_DAMAGED: false,
  DOCUMENT_HOSTILE: false,
  DOCUMENT_UNSUPPORTED: false,
  DOCUMENT_TIMEOUT: false,
  DATASET_EMPTY: false,
  MODEL_UNKNOWN: false,
  ADAPTER_UNSERVEABLE: false,
  ADMISSION_REFUSED: false,
  TRAINING_FAILED: false,
  DEPLOYMENT_FAILED: false,
  ENGINE_UNAVAILABLE: true,
  DISK_FULL: false,
  PORT_TAKEN: false,
  ALREADY_RUNNING: false,
  PREREQUISITE_MISSING: false,
  RATE_LIMITED: true,
  CANCELLED: false,
} satisfies Record<ErrorCode, boolean>;

/** Our error as Temporal carries it: type = code, the report as its only detail, no stack, no cause. */
export function toFailure(error: AnnealError): ApplicationFailure {
  return ApplicationFailure.create({
    type: error.code,
    message: error.message,
    nonRetryable: !(error.retryable || retriesByCode[error.code]),
    details: [error.toReport()],
    ...retryDelayOf(error),
  });
}

/** What a source asked to wait for is Temporal's timer, not a worker that sleeps. */
function retryDelayOf({ details }: AnnealError): { nextRetryDelay: number } | undefined {
  const { retryAfterMs } = details;
  return typeof retryAfterMs === "number" && retryAfterMs > 0 ? { nextRetryDelay: retryAfterMs } : undefined;
}

/**
 * Wraps every activity so that expected failures keep their code, sentence and action across Temporal, and unforeseen
 * ones take no query's parameters there.
 */
export function withFailures<Activities extends Record<string, (...args: never[]) => Promise<unknown>>>(
  activities: Activities,
): Activities {
  return Object.fromEntries(
    Object.entries(activities).map(([name, activity]) => [
      name,
      async (...args: never[]) => {
        try {
          return await activity(...args);
        } catch (error) {
          if (error instanceof AnnealError) throw toFailure(error);
          if (isDiskFull(error)) throw toFailure(diskFullError("the disk of the server", error));
          dropParameters(error);
          throw error;
        }
      },
    ]),
  ) as Activities;
}

/** Refuses to begin what writes much while the disk has too little left. Failing is always possible: see the caller. */
export function withFreeSpace<Activities extends Record<string, (...args: never[]) => Promise<unknown>>>(
  activities: Activities,
  requireSpace: () => Promise<void>,
): Activities {
  return Object.fromEntries(
    Object.entries(activities).map(([name, activity]) => [
      name,
      async (...args: never[]) => {
        await requireSpace();
        return activity(...args);
      },
    ]),
  ) as Activities;
}

export function isErrorReport(value: unknown): value is ErrorReport {
  return (
    typeof value === "object" &&
    value !== null &&
    "code" in value &&
    (errorCodes as readonly unknown[]).includes(value.code) &&
    "message" in value &&
    "action" in value
  );
}
