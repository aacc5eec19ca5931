import { describe, expect, it } from "vitest";
import { asksToWait, explainGoogleError, reasonOf } from "./google-errors.ts";

const errorOf = (error: Record<string, unknown>) => JSON.stringify({ error: { code: 403, message: "No.", ...error } });
const older = (reason: string) => errorOf({ errors: [{ domain: "global", reason, message: "No." }] });
const newer = (reason: string, old?: string) =>
  errorOf({
    ...(old === undefined ? {} : { errors: [{ domain: "global", reason: old }] }),
    status: "PERMISSION_DENIED",
    details: [{ "@type": "type.googleapis.com/google.rpc.Help" }, { reason, domain: "googleapis.com" }],
  });
const codeOf = (status: number, body: string) => explainGoogleError("Google Drive", status, body)?.code;

describe("an error of Google's", () => {
  it("is understood in both of its shapes", () => {
    for (const body of [
      older("userRateLimitExceeded"),
      newer("RATE_LIMIT_EXCEEDED"),
      newer("x", "rateLimitExceeded"),
    ]) {
      expect(asksToWait(reasonOf(body).reason)).toBe(true);
      expect(codeOf(403, body)).toBe("RATE_LIMITED");
    }
    for (const body of [older("accessNotConfigured"), newer("SERVICE_DISABLED", "forbidden")]) {
      expect(explainGoogleError("Google Drive", 403, body)?.action).toContain("APIs & Services > Library");
    }
  });

  it("about a limit of the day is not waited for here, and one about a document is about it alone", () => {
    expect(asksToWait(reasonOf(older("dailyLimitExceeded")).reason)).toBe(false);
    expect(explainGoogleError("Google Drive", 403, older("dailyLimitExceeded"))?.details.retryAfterMs).toBe(3_600_000);
    expect(codeOf(403, older("exportSizeLimitExceeded"))).toBe("DOCUMENT_TOO_LARGE");
    expect(codeOf(403, older("cannotDownloadFile"))).toBe("SOURCE_FORBIDDEN");
    expect(codeOf(403, older("downloadQuotaExceeded"))).toBe("SOURCE_FORBIDDEN");
  });

  it("that says no more than its status, or is no JSON, is left to the status", () => {
    expect(explainGoogleError("Google Drive", 404, older("notFound"))).toBeNull();
    expect(explainGoogleError("Google Drive", 403, "<html>")).toBeNull();
    expect(explainGoogleError("Google Drive", 401, older("authError"))).toBeNull();
  });
});
