import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import { parseJson } from "../remote/remote-answer.ts";

const shortLimits = new Set([
  "rateLimitExceeded",
  "userRateLimitExceeded",
  "sharingRateLimitExceeded",
  "RATE_LIMIT_EXCEEDED",
]);
const longLimits = new Set(["dailyLimitExceeded", "quotaExceeded"]);

/** True for a limit that is over in seconds. */
export function asksToWait(reason: string): boolean {
  return shortLimits.has(reason);
}

const errorSchema = z.looseObject({
  error: z.looseObject({
    message: z.string().default(""),
    errors: z.array(z.looseObject({ reason: z.string().default("") })).default([]),
    details: z.array(z.looseObject({ reason: z.string().optional() })).default([]),
  }),
});

/** Why, in either of the shapes that Google's APIs answer errors in; the newer one where the older says nothing. */
export function reasonOf(body: string): { reason: string; message: string } {
  const parsed = errorSchema.safeParse(parseJson(body));
  if (!parsed.success) return { reason: "", message: "" };
  const { message, errors, details } = parsed.data.error;
  const older = errors[0]?.reason ?? "";
  const newer = details.find((detail) => detail.reason !== undefined)?.reason;
  return { reason: older === "" || older === "forbidden" ? (newer ?? older) : older, message };
}

/** @returns null where the status says as much as Google does */
export function explainGoogleError(service: string, status: number, body: string): AnnealError | null {
  const { reason, message } = reasonOf(body);
  const details = { reason };
  const forbidden = (what: string, action: string) => new AnnealError("SOURCE_FORBIDDEN", what, { action, details });
  if (status === 401) return null;
  if (shortLimits.has(reason) || longLimits.has(reason)) {
    return new AnnealError("RATE_LIMITED", `${service} has had too many requests (${reason}).`, {
      action: "The sync goes on later; if it stays, raise the API's quota in Google Cloud: IAM & Admin > Quotas.",
      details: { ...details, retryAfterMs: longLimits.has(reason) ? 3_600_000 : 60_000 },
      retryable: true,
    });
  }
  switch (reason) {
    case "accessNotConfigured":
    case "SERVICE_DISABLED":
      return forbidden(
        `The API of ${service} is not enabled in the service account's project.`,
        "Enable it in Google Cloud: APIs & Services > Library.",
      );
    case "insufficientPermissions":
    case "ACCESS_TOKEN_SCOPE_INSUFFICIENT":
      return forbidden(
        `${service} accepts the token, which lacks a scope.`,
        "Grant the service account the scopes that the check of this source names.",
      );
    case "domainPolicy":
      return forbidden(
        "The administrators of the Workspace have turned off access to Drive by apps.",
        "Turn it on in the Admin console: Apps > Google Workspace > Drive and Docs > Features and Applications.",
      );
    case "exportSizeLimitExceeded":
      return new AnnealError("DOCUMENT_TOO_LARGE", "Google exports at most 10 MB of a document, and this is larger.", {
        action: "Split it, or keep a copy as an Office file in the same folder.",
        details,
      });
    case "cannotDownloadFile":
    case "fileNotDownloadable":
    case "cannotExportFile":
      return forbidden(
        "The owner does not let readers download this document.",
        "Let viewers and commenters download it (Share > Settings), or give the user that is read as the role of an editor.",
      );
    case "downloadQuotaExceeded":
      return forbidden(
        "This document was downloaded so often that Google does not give it out for now.",
        "Read it again tomorrow.",
      );
    case "cannotDownloadAbusiveFile":
      return forbidden("Google takes this file for malware or spam and does not give it out.", "Remove or exclude it.");
    case "insufficientFilePermissions":
    case "appNotAuthorizedToFile":
      return forbidden(
        "The user that is read as may not read this document.",
        "Share it with that user as a viewer, or exclude it.",
      );
    default:
      return status === 403 && message !== ""
        ? forbidden(
            `${service} refuses: ${message.slice(0, 300)}`,
            "Grant what the check of this source names as missing.",
          )
        : null;
  }
}
