import { AnnealError } from "@anneal/core/errors";
import { findAnnealError, systemCode, unreachable } from "../failure.ts";
import { isAboutLoad, isVague } from "../remote/remote-answer.ts";
import { RateLimited } from "../remote/rate-limited.ts";
import { retryAfterMs } from "../web/site-client.ts";
import type { S3Config } from "./config.ts";

/**
 * The SDK's own error is left behind: it carries the request, and with it the key id and the signature.
 * Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 * @param key the object, or null for the bucket as a whole
 */
export function toS3Error(
  error: unknown,
  config: Pick<S3Config, "bucket" | "endpoint" | "region">,
  key: string | null,
  nowMs: number,
): AnnealError {
  const ours = findAnnealError(error);
  if (ours !== null) return ours;
  if (!(error instanceof Error)) throw error;
  const bucket = `Bucket "${config.bucket}"`;
  const place = key === null ? bucket : `"${key}" in bucket "${config.bucket}"`;
  const details = { code: error.name };
  switch (error.name) {
    case "InvalidAccessKeyId":
    case "SignatureDoesNotMatch":
    case "ExpiredToken":
    case "InvalidToken":
    case "RequestExpired":
    case "AuthFailure":
      return new AnnealError("SOURCE_CREDENTIALS", `${bucket} did not accept the access key (${error.name}).`, {
        action: "Enter a valid access key ID and secret access key (and session token, if the key is temporary).",
        details,
      });
    case "NoSuchBucket":
      return new AnnealError("SOURCE_NOT_FOUND", `${bucket} does not exist.`, {
        action: "Check the bucket's name, the endpoint and the region.",
        details,
      });
    case "NoSuchKey":
    case "NotFound":
      return new AnnealError("SOURCE_NOT_FOUND", `${place} is no longer there.`, {
        action: "Sync again.",
        details,
      });
    case "AccessDenied":
    case "AllAccessDisabled":
    case "Forbidden":
    case "403":
      return new AnnealError("SOURCE_FORBIDDEN", `${place} may not be read with this key.`, {
        action:
          key === null
            ? `Grant s3:ListBucket on arn:aws:s3:::${config.bucket} and s3:GetObject on arn:aws:s3:::${config.bucket}/*.`
            : `Grant s3:GetObject on arn:aws:s3:::${config.bucket}/${key} (and kms:Decrypt on its key, if encrypted).`,
        details,
      });
    case "InvalidObjectState":
      return archived(place);
    case "PermanentRedirect":
    case "AuthorizationHeaderMalformed":
    case "IllegalLocationConstraintException":
      return new AnnealError("INVALID_INPUT", `${bucket} lies in another region than "${config.region}".`, {
        action: "Enter the bucket's own region.",
        details,
      });
    case "RequestTimeTooSkewed":
      // The SDK has taken note of the difference, and signs the next try with it.
      return new AnnealError("SOURCE_UNREACHABLE", `${bucket} has another time than this machine.`, {
        action: "Set the clock of this machine, or of the storage.",
        details,
        retryable: true,
      });
    case "RequestTimeout":
      return new AnnealError("SOURCE_UNREACHABLE", `${bucket} took too long to answer.`, {
        action: "Sync again later.",
        details,
        retryable: true,
      });
  }
  const status = "$metadata" in error ? (error.$metadata as { httpStatusCode?: number }).httpStatusCode : undefined;
  if (asksToWait.has(error.name) || (status !== undefined && isAboutLoad(status, null))) {
    const vague = status !== undefined && isVague(status);
    return new RateLimited({ place: bucket, toldMs: toldMs(error, nowMs), details, vague });
  }
  const known = unreachable(error, config.endpoint ?? `${config.bucket} on S3`);
  if (known !== null) return known;
  if (status === undefined && error.name !== "TimeoutError" && systemCode(error) === null) throw error;
  return new AnnealError("SOURCE_UNREACHABLE", `${bucket} answered with an error (${error.name}).`, {
    action: "Check that the endpoint speaks the S3 protocol and that path-style addresses are set as it needs them.",
    details: { ...details, status },
    retryable: status === undefined || status >= 500 || status < 300,
  });
}

/** Also with a status that says something else, as some storage answers. */
const asksToWait = new Set([
  "SlowDown",
  "SlowDownRead",
  "ServiceUnavailable",
  "Throttling",
  "ThrottlingException",
  "TooManyRequests",
  "TooManyRequestsException",
  "RequestLimitExceeded",
  "BandwidthLimitExceeded",
]);

/** The SDK keeps the answer with the error, where nothing that prints it prints that. */
function toldMs(error: Error, nowMs: number): number | null {
  const { headers } = (error as { $response?: { headers?: Record<string, string> } }).$response ?? {};
  return retryAfterMs(headers?.["retry-after"] ?? null, nowMs);
}

/** Storage that knows only the first version of the call ignores where to go on, and says where it goes on in other words. */
export function lostInListing(bucket: string): AnnealError {
  return new AnnealError(
    "INVALID_INPUT",
    `The listing of bucket "${bucket}" goes on, but the storage gave no continuation token by which to ask for the rest.`,
    {
      action:
        "Update the storage or enter an endpoint that knows ListObjectsV2, or choose a prefix of fewer than 1,000 objects; nothing was deleted.",
    },
  );
}

export function archived(place: string): AnnealError {
  return new AnnealError("SOURCE_FORBIDDEN", `${place} is archived and cannot be read at once.`, {
    action: "Restore it from the archive tier, or exclude it.",
  });
}
