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
      return noSuchBucket(bucket, config, details);
    case "NoSuchKey":
    case "NotFound":
      if (key === null) return noSuchBucket(bucket, config, details);
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
  const endpoint = placeOf(config);
  const known = unreachable(error, endpoint);
  if (known !== null) return known;
  const code = systemCode(error);
  if (status === undefined && error.name !== "TimeoutError" && code === null) throw error;
  const retryable = status === undefined || status >= 500 || status < 300;
  const failed = (message: string, action: string) =>
    new AnnealError("SOURCE_UNREACHABLE", message, {
      action,
      details: { ...details, status, ...(code === null ? {} : { system: code }) },
      retryable,
    });
  if (error.name === "TimeoutError") return failed(`${endpoint} took too long to answer.`, "Try again later.");
  if (code !== null && /^(EPROTO|ERR_SSL|ERR_TLS)/.test(code))
    return failed(
      `${endpoint} does not speak TLS, or none that this machine accepts.`,
      "If the storage speaks plain HTTP there, enter an address that begins with http://.",
    );
  if (code?.startsWith("HPE_")) return failed(`${endpoint} answers, but not in HTTP.`, checkEndpoint);
  // Storage names its errors; the SDK has words of its own for what no storage says.
  const isNamed = !unnamed.has(error.name);
  if (isNamed) return failed(`${bucket} answered with an error (${error.name}).`, checkEndpoint);
  if (status !== undefined && status >= 500)
    return failed(
      `${endpoint} answered with an error (HTTP ${status}).`,
      "Look at the storage's own log, and try again later.",
    );
  // What came through may have come only in part.
  return notStorage(config, status, { retryable });
}

const checkEndpoint =
  "Check that the endpoint speaks the S3 protocol and that path-style addresses are set as it needs them.";
const unnamed = new Set(["Error", "Unknown", "UnknownError", "S3ServiceException"]);

const placeOf = ({ endpoint, region }: Pick<S3Config, "endpoint" | "region">) => endpoint ?? `S3 in ${region}`;

function noSuchBucket(
  bucket: string,
  config: Pick<S3Config, "endpoint" | "region">,
  details: Record<string, unknown>,
): AnnealError {
  return new AnnealError("SOURCE_NOT_FOUND", `${bucket} does not exist at ${placeOf(config)}.`, {
    action: "Check the bucket's name, the endpoint and the region.",
    details,
  });
}

/** Whatever answers there is no storage: taken for one, an empty page would be a bucket that holds nothing any more. */
export function notStorage(
  config: Pick<S3Config, "endpoint" | "region">,
  status: number | undefined,
  { retryable }: { retryable: boolean },
): AnnealError {
  const answer = status === undefined ? "" : ` (HTTP ${status})`;
  return new AnnealError("SOURCE_UNREACHABLE", `${placeOf(config)} answers, but not in the S3 protocol${answer}.`, {
    action: checkEndpoint,
    details: { status },
    retryable,
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
