import { AnnealError } from "@anneal/core/errors";
import { ApiException } from "@kubernetes/client-node";
import { z } from "zod";
import type { RetryVerdict } from "./with-retries.ts";

const statusSchema = z.object({ message: z.string().optional(), reason: z.string().optional() });

/** What the API server says of a refusal, in its own words. */
export type ApiRefusal = { code: number; reason: string; message: string; retryAfterMs: number | null };

/** @returns null when no answer came at all */
export function readRefusal(error: unknown): ApiRefusal | null {
  if (!(error instanceof ApiException)) return null;
  const { body, headers } = error as ApiException<unknown>;
  const status = statusSchema.safeParse(typeof body === "string" ? parseJson(body) : body);
  const seconds = Number(headers["retry-after"]);
  return {
    code: error.code,
    reason: status.data?.reason ?? "",
    message: status.data?.message ?? `It answered ${error.code}.`,
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : null,
  };
}

/** Too many requests, a server that restarts, a connection that broke. */
export function judgeApiError(error: unknown): RetryVerdict {
  const refusal = readRefusal(error);
  if (refusal) {
    return refusal.code === 429 || refusal.code >= 500
      ? { retry: true, afterMs: refusal.retryAfterMs }
      : { retry: false };
  }
  return isConnectionError(error) ? { retry: true, afterMs: null } : { retry: false };
}

/** @param what was attempted: "create Job anneal-x" */
export function toClusterError(error: unknown, what: string, server: string): AnnealError {
  if (error instanceof AnnealError) return error;
  const refusal = readRefusal(error);
  if (refusal === null && !isConnectionError(error)) throw error;
  const details = { attempted: what, ...(refusal ? { status: refusal.code, reason: refusal.reason } : {}) };
  const fail = (
    code: ConstructorParameters<typeof AnnealError>[0],
    message: string,
    action: string,
    retryable: boolean,
  ) => new AnnealError(code, message, { action, details, retryable, cause: error });
  if (!refusal) {
    return fail(
      "ENGINE_UNAVAILABLE",
      `The Kubernetes API at ${server} does not answer.`,
      "It is tried again; check the address, the network and the cluster's control plane.",
      true,
    );
  }
  switch (refusal.code) {
    case 401:
      return fail(
        "PREREQUISITE_MISSING",
        "The cluster does not accept our credentials.",
        "Renew the token or certificate in the kubeconfig that the worker uses.",
        false,
      );
    case 403:
      return fail(
        "PREREQUISITE_MISSING",
        `The cluster does not let us ${what}: ${refusal.message}`,
        "Give the worker's service account this permission (a Role in its namespace; a ClusterRole to list nodes and pods).",
        false,
      );
    case 404:
      return fail(
        "NOT_FOUND",
        `The cluster could not ${what}: ${refusal.message}`,
        "Check that the namespace exists and that the resource is installed.",
        false,
      );
    case 409:
      return fail("CONFLICT", `The cluster could not ${what}: ${refusal.message}`, "It is tried again.", true);
    case 429:
      return fail(
        "RATE_LIMITED",
        "The cluster's API is too busy for our requests.",
        "It is tried again later; give the worker a priority level of its own (FlowSchema) if it stays.",
        true,
      );
    default:
      return refusal.code >= 500
        ? fail("ENGINE_UNAVAILABLE", `The Kubernetes API failed: ${refusal.message}`, "It is tried again.", true)
        : fail(
            "INVALID_INPUT",
            `The cluster refused to ${what}: ${refusal.message}`,
            "Correct what it names, or the admission policy that refused it.",
            false,
          );
  }
}

/** undici throws a TypeError around the cause, and DOMExceptions for what was aborted in time. */
function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    error.name === "TimeoutError" ||
    error.name === "AbortError" ||
    (error instanceof TypeError && error.cause !== undefined)
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
