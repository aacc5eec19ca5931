import { AnnealError } from "@anneal/core/errors";
import { RestError } from "@azure/storage-blob";
import { findAnnealError, systemCode, unreachable } from "../failure.ts";
import { refuseHost } from "../host-guard.ts";
import { isAboutLoad, isVague } from "../remote/remote-answer.ts";
import { RateLimited } from "../remote/rate-limited.ts";
import { retryAfterMs } from "../web/site-client.ts";

/** The status of an answer that is an error to the SDK. */
export function statusOf(error: unknown): number | null {
  return error instanceof RestError ? (error.statusCode ?? null) : null;
}

/**
 * The SDK's own error is left behind: it carries the request, and with it the SAS token or the signature.
 * Codes: https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
 * @param name the blob, or null for the container as a whole
 */
export function toAzureBlobError(
  error: unknown,
  source: { host: string; container: string },
  name: string | null,
  nowMs: number,
): AnnealError {
  const ours = findAnnealError(error);
  if (ours !== null) return ours;
  if (!(error instanceof Error)) throw error;
  const container = `Container "${source.container}"`;
  const place = name === null ? container : `"${name}" in container "${source.container}"`;
  // The SDK keeps of a refusal by the host guard no more than its code.
  if (systemCode(error) === "SOURCE_FORBIDDEN") return refuseHost(source.host);
  const code = error.message.startsWith("Server failed to authenticate") ? "AuthenticationFailed" : codeOf(error);
  const details = { code };
  const status = statusOf(error);
  // The service gives up on one blob with a 500 of that name.
  const vague = code === "OperationTimedOut" || (status !== null && isVague(status));
  const limited = new RateLimited({ place: container, toldMs: toldMs(error, nowMs), details, vague });
  switch (code) {
    case "AuthenticationFailed":
    case "InvalidAuthenticationInfo":
    case "NoAuthenticationInformation":
    case "KeyBasedAuthenticationNotPermitted":
    case "PublicAccessNotPermitted":
      return new AnnealError("SOURCE_CREDENTIALS", `${container} did not accept the credentials (${code}).`, {
        action: "Enter a SAS token that has not expired and is meant for this container, or a valid account key.",
        details,
      });
    case "AuthorizationFailure":
    case "AuthorizationPermissionMismatch":
    case "AuthorizationResourceTypeMismatch":
    case "AuthorizationServiceMismatch":
    case "AuthorizationProtocolMismatch":
    case "AuthorizationSourceIPMismatch":
    case "InsufficientAccountPermissions":
    case "AccountIsDisabled":
      return new AnnealError("SOURCE_FORBIDDEN", `${place} may not be read with these credentials (${code}).`, {
        action:
          "Issue a SAS token with read and list (sp=rl) on the container, and let this machine through the storage account's firewall.",
        details,
      });
    case "ContainerNotFound":
    case "ContainerBeingDeleted":
    case "ResourceNotFound":
      return new AnnealError("SOURCE_NOT_FOUND", `${container} does not exist, or not for the public.`, {
        action: "Check the container's name and the account; without credentials it needs public access.",
        details,
      });
    case "BlobNotFound":
    case "ConditionNotMet":
      return new AnnealError("SOURCE_NOT_FOUND", `${place} is no longer there, or was just replaced.`, {
        action: "Sync again.",
        details,
      });
    case "BlobArchived":
    case "BlobBeingRehydrated":
      return archived(place);
    case "ServerBusy":
    case "TooManyRequests":
    case "OperationTimedOut":
      return limited;
  }
  if (status !== null && isAboutLoad(status, null)) return limited;
  // Whoever cancels a sync is asked before; the SDK also calls it so when a connection ends in the middle of a blob.
  if (error.name === "AbortError") return brokenOff(place);
  const known = unreachable(error, source.host);
  if (known !== null) return known;
  // An answer that ended before its declared length is told without a code of its own.
  if (error.message.startsWith("Data corruption failure")) return brokenOff(place);
  // So is one that lacks a header, as after a proxy.
  const isAboutAnswer = error instanceof RestError || error.message.startsWith("File download response");
  if (!isAboutAnswer && systemCode(error) === null) throw error;
  return new AnnealError("SOURCE_UNREACHABLE", `${source.host} answered with an error (${code}).`, {
    action: "Check that the address is a storage account's Blob service; then sync again.",
    details: { ...details, ...(status === null ? {} : { status }) },
    retryable: status === null || status >= 500,
  });
}

function toldMs(error: Error, nowMs: number): number | null {
  const headers = error instanceof RestError ? error.response?.headers : undefined;
  return retryAfterMs(headers?.get("retry-after") ?? null, nowMs);
}

/** The service's code; by status where it had no room for one, as in the answer to a HEAD. */
function codeOf(error: Error): string {
  if (!(error instanceof RestError)) return error.name;
  const { details } = error as { details?: { errorCode?: string } };
  const code = details?.errorCode ?? error.code;
  if (code !== undefined) return code;
  switch (error.statusCode) {
    case 401:
      return "NoAuthenticationInformation";
    case 403:
      return "AuthorizationFailure";
    case 404:
      return "ResourceNotFound";
    case 503:
      return "ServerBusy";
    default:
      return error.statusCode === undefined ? error.name : String(error.statusCode);
  }
}

function brokenOff(place: string): AnnealError {
  return new AnnealError("SOURCE_UNREACHABLE", `The transfer of ${place} broke off.`, {
    action: "It is read again by the next sync.",
    details: { code: "BROKEN_OFF" },
    retryable: true,
  });
}

export function archived(place: string): AnnealError {
  return new AnnealError("SOURCE_FORBIDDEN", `${place} is archived and cannot be read at once.`, {
    action: "Rehydrate it to the hot or cool tier, or exclude it.",
  });
}

/** Nothing would tell that such a blob has changed. */
export function withoutETag(host: string, name: string): AnnealError {
  return new AnnealError("SOURCE_UNREACHABLE", `${host} lists "${name}" without its ETag.`, {
    action: "Check that the address is a storage account's Blob service; then sync again.",
    details: { code: "BAD_RESPONSE" },
  });
}

/** Whatever answers there lists no blobs. */
export function notBlobService(host: string): AnnealError {
  return new AnnealError("SOURCE_UNREACHABLE", `${host} answers, but not as a Blob service.`, {
    action: "Check that the address is a storage account's Blob service; then sync again.",
    details: { code: "BAD_RESPONSE" },
  });
}
