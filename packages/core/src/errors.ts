/**
 * The one expected-failure class. Everything a person can do something about is an AnnealError; anything else is a
 * bug. Codes map outward in exactly two tables: `apps/web/src/server/error-map.ts` (tRPC and HTTP) and
 * `apps/worker/src/error-map.ts` (Temporal), each `satisfies Record<ErrorCode, ...>`.
 */
export const errorCodes = [
  "INVALID_INPUT",
  "REQUEST_TOO_LARGE",
  "METHOD_NOT_ALLOWED",
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "NOT_FOUND",
  "CONFLICT",
  "SOURCE_UNREACHABLE",
  "SOURCE_NOT_FOUND",
  "SOURCE_FORBIDDEN",
  "SOURCE_CREDENTIALS",
  "SOURCE_EMPTY",
  "DOCUMENT_TOO_LARGE",
  "DOCUMENT_ENCRYPTED",
  "DOCUMENT_DAMAGED",
  "DOCUMENT_HOSTILE",
  "DOCUMENT_UNSUPPORTED",
  "DOCUMENT_TIMEOUT",
  "DATASET_EMPTY",
  "MODEL_UNKNOWN",
  "ADAPTER_UNSERVEABLE",
  "ADMISSION_REFUSED",
  "TRAINING_FAILED",
  "DEPLOYMENT_FAILED",
  "ENGINE_UNAVAILABLE",
  "DISK_FULL",
  "PORT_TAKEN",
  "ALREADY_RUNNING",
  "PREREQUISITE_MISSING",
  "RATE_LIMITED",
  "CANCELLED",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** What crosses a process boundary: the same three facts at the CLI, the API and the portal. */
export type ErrorReport = {
  code: ErrorCode;
  /** What happened, in one sentence. */
  message: string;
  /** What the person can do about it, in one sentence. */
  action: string;
  details?: Record<string, unknown>;
};

export class AnnealError extends Error {
  readonly code: ErrorCode;
  readonly action: string;
  readonly details: Record<string, unknown>;
  readonly retryable: boolean;

  /** @param options.details must never hold a secret: it is shown to people and written to logs. */
  constructor(
    code: ErrorCode,
    message: string,
    options: { action: string; details?: Record<string, unknown>; retryable?: boolean; cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.name = "AnnealError";
    this.code = code;
    this.action = options.action;
    this.details = options.details ?? {};
    this.retryable = options.retryable ?? false;
  }

  toReport(): ErrorReport {
    return { code: this.code, message: this.message, action: this.action, details: this.details };
  }
}

export function isAnnealError(error: unknown): error is AnnealError {
  return error instanceof AnnealError;
}

/** Makes a switch over a union exhaustive at compile time and loud at run time. */
export function assertNever(value: never): never {
  throw new Error(`Unexpected value: ${JSON.stringify(value)}`);
}
