import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { S3Client } from "@aws-sdk/client-s3";
import { AnnealError } from "@anneal/core/errors";
import type { ConnectLimits } from "../connector.ts";
import { findAnnealError, unreachable } from "../failure.ts";
import { assertAllowedHost, guardedLookup } from "../host-guard.ts";
import type { S3Config, S3Secrets } from "./config.ts";

export function createS3Client(config: S3Config, secrets: S3Secrets, limits: ConnectLimits): S3Client {
  if (config.endpoint !== null) assertAllowedHost(new URL(config.endpoint).hostname, config.allowPrivateHosts);
  const agentOptions = {
    keepAlive: true,
    maxSockets: 64,
    lookup: guardedLookup(config.allowPrivateHosts),
  };
  const { accessKeyId, secretAccessKey, sessionToken } = secrets;
  const signed = accessKeyId !== undefined && secretAccessKey !== undefined;
  return new S3Client({
    region: config.region,
    forcePathStyle: config.pathStyle,
    followRegionRedirects: true,
    maxAttempts: 4,
    requestHandler: {
      httpAgent: new HttpAgent(agentOptions),
      httpsAgent: new HttpsAgent(agentOptions),
      connectionTimeout: limits.requestTimeoutMs,
      // Idle time between bytes, not the whole transfer: a large object may take long as long as it moves.
      socketTimeout: limits.requestTimeoutMs,
    },
    // Storage other than AWS often knows no trailing checksums.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    ...(config.endpoint === null ? {} : { endpoint: config.endpoint }),
    ...(signed
      ? {
          credentials: {
            accessKeyId,
            secretAccessKey,
            ...(sessionToken === undefined ? {} : { sessionToken }),
          },
        }
      : {
          signer: { sign: async (request) => request },
          credentials: { accessKeyId: "", secretAccessKey: "" },
        }),
  });
}

/**
 * The SDK's own error is left behind: it carries the request, and with it the key id and the signature.
 * @param key the object, or null for the bucket as a whole
 */
export function toS3Error(error: unknown, config: S3Config, key: string | null): AnnealError {
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
    case "SlowDown":
    case "Throttling":
    case "ThrottlingException":
    case "TooManyRequestsException":
      return new AnnealError("RATE_LIMITED", `${bucket} asked to slow down.`, {
        action: "Sync again later.",
        details,
        retryable: true,
      });
  }
  const known = unreachable(error, config.endpoint ?? `${config.bucket} on S3`);
  if (known !== null) return known;
  const status = "$metadata" in error ? (error.$metadata as { httpStatusCode?: number }).httpStatusCode : undefined;
  if (status === undefined && error.name !== "TimeoutError") throw error;
  return new AnnealError("SOURCE_UNREACHABLE", `${bucket} answered with an error (${error.name}).`, {
    action: "Check that the endpoint speaks the S3 protocol and that path-style addresses are set as it needs them.",
    details: { ...details, status },
    retryable: true,
  });
}

export function archived(place: string): AnnealError {
  return new AnnealError("SOURCE_FORBIDDEN", `${place} is archived and cannot be read at once.`, {
    action: "Restore it from the archive tier, or exclude it.",
  });
}
