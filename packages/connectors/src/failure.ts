import { describeBytes, describeExactBytes } from "@anneal/core/describe-bytes";
import { AnnealError, isAnnealError, type ErrorReport } from "@anneal/core/errors";
import type { CheckResult } from "./connector.ts";

/** An unexpected error stays a bug; anything a person can act on becomes the stream's or the check's report. */
export function reportOf(error: unknown): ErrorReport {
  if (isAnnealError(error)) return error.toReport();
  throw error;
}

export function failedCheck(capability: string, error: unknown): CheckResult {
  const report = reportOf(error);
  return {
    checks: [{ capability, status: "missing", message: report.message, action: report.action }],
    summary: null,
    error: report,
  };
}

/** Who may raise a limit: whoever keeps the worker running, or nobody. */
export type LimitKind = "setting" | "fixed";

export function tooLarge(
  ref: string,
  sizeBytes: number | null,
  limitBytes: number,
  kind: LimitKind = "setting",
): AnnealError {
  // Rounded, a size just above the limit would read as the limit itself.
  const looksEqual = sizeBytes !== null && describeBytes(sizeBytes) === describeBytes(limitBytes);
  const describe = looksEqual ? describeExactBytes : describeBytes;
  const size = sizeBytes === null ? "larger than allowed" : `${describe(sizeBytes)} large`;
  return new AnnealError("DOCUMENT_TOO_LARGE", `"${ref}" is ${size}; the limit is ${describe(limitBytes)}.`, {
    action:
      kind === "fixed"
        ? "Exclude it or split it."
        : "Exclude it, split it, or raise ANNEAL_DOCUMENT_MAX_MIB where the worker runs.",
    details: { sizeBytes, limitBytes },
  });
}

/** An AnnealError that a callback of ours raised inside somebody else's client, found through its wrappers. */
export function findAnnealError(error: unknown): AnnealError | null {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (isAnnealError(current)) return current;
  }
  return null;
}

/** The `code` of a Node or driver error, found through the wrappers that fetch and the SDKs put around it. */
export function systemCode(error: unknown): string | null {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ("code" in current && typeof current.code === "string") return current.code;
    if (current instanceof AggregateError && current.errors.length > 0) return systemCode(current.errors[0]);
  }
  return null;
}

const address = "Check the address and the port, and that this machine may connect to it; then try again.";
const name = "Check how its name is written, and that this machine looks it up where it is known; then try again.";
const certificate = "Install a certificate that this machine trusts at the source, or correct its address.";

const cut = { why: "the connection was cut", action: address };
const silent = { why: "it does not answer", action: address };
const slow = { why: "it took too long to answer", action: address };
const noWay = { why: "no way through the network leads there", action: address };
const untrusted = { why: "this machine does not trust its certificate", action: certificate };

/** Why a host does not answer and what to do, by the codes of Node and of undici. */
const causes: Record<string, { why: string; action: string }> = {
  ECONNREFUSED: {
    why: "the connection was refused, so nothing listens there or a firewall is in the way",
    action: address,
  },
  ECONNRESET: cut,
  EPIPE: cut,
  UND_ERR_SOCKET: cut,
  ETIMEDOUT: silent,
  UND_ERR_CONNECT_TIMEOUT: silent,
  UND_ERR_HEADERS_TIMEOUT: slow,
  UND_ERR_BODY_TIMEOUT: slow,
  EHOSTUNREACH: noWay,
  ENETUNREACH: noWay,
  ENOTFOUND: { why: "its name is not known to this machine's DNS", action: name },
  EAI_AGAIN: { why: "this machine's DNS does not answer for its name", action: name },
  CERT_HAS_EXPIRED: { why: "its certificate has expired", action: certificate },
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  ERR_TLS_CERT_ALTNAME_INVALID: { why: "its certificate is for another name", action: certificate },
};

/** Whether a connection ended before an answer began, as told by `unreachable`. */
export function isCut({ code, details }: AnnealError): boolean {
  return code === "SOURCE_UNREACHABLE" && causes[String(details["code"])] === cut;
}

/** The port that was tried, as Node tells it in the error or in those of each address that it tried. */
function portOf(error: unknown): number | null {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ("port" in current && typeof current.port === "number") return current.port;
    if (current instanceof AggregateError && current.errors.length > 0) return portOf(current.errors[0]);
  }
  return null;
}

/** @returns the AnnealError of a host that does not answer, or null when the error is of another kind */
export function unreachable(error: unknown, place: string): AnnealError | null {
  const code = systemCode(error);
  const cause = code === null ? undefined : causes[code];
  if (cause === undefined) return null;
  // Not every place is told with its port, which is no matter of a name that is not known.
  const port = cause.action === name ? null : portOf(error);
  const at = port === null || new RegExp(`:${port}(?!\\d)`).test(place) ? "" : ` at port ${port}`;
  return new AnnealError("SOURCE_UNREACHABLE", `${place} cannot be reached${at}: ${cause.why}.`, {
    action: cause.action,
    details: { code },
    retryable: true,
  });
}
