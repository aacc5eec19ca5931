import { randomUUID } from "node:crypto";
import { TRPCError } from "@trpc/server";
import { ZodError } from "zod";
import { diskFullError, isDiskFull } from "@anneal/core/disk-full";
import { AnnealError, isAnnealError } from "@anneal/core/errors";
import { sentenceOf, wordInputForPeople } from "#lib/input-words.ts";
import type { WireError } from "#lib/wire-error.ts";
import { log } from "#server/log.ts";

wordInputForPeople();

/**
 * Turns whatever was thrown into what a person may see, and gives it the id under which the log has the rest. What we
 * did not expect is logged whole and shown as nothing but that id.
 */
export function reportError(error: unknown, where: string): WireError {
  const id = randomUUID().slice(0, 8);
  const expected = expectedError(error);
  if (expected) {
    log.info({ id, where, code: expected.code, details: expected.details }, expected.message);
    return { ...expected.toReport(), id };
  }
  log.error({ id, where, err: error }, "unexpected failure");
  return {
    code: "INTERNAL",
    message: "Something went wrong on our side.",
    action:
      "Try again. If it happens again, give this id to whoever runs Anneal: the server's log has the details under it.",
    id,
  };
}

/** The expected failure inside an error, however deep libraries have wrapped it; undefined for a bug. */
export function expectedError(error: unknown): AnnealError | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) {
    if (isAnnealError(cause)) return cause;
    if (cause instanceof ZodError) return missingThing(cause) ?? badInput(cause);
    if (isDiskFull(cause)) return diskFullError("the disk of the server");
    if (isConnectionFailure(cause)) {
      return new AnnealError("ENGINE_UNAVAILABLE", "A service that Anneal needs does not answer.", {
        action: "Wait a moment and try again; if it lasts, look at the output of `npm start`.",
        retryable: true,
      });
    }
    if (cause instanceof TRPCError && cause.code === "BAD_REQUEST" && cause.cause instanceof SyntaxError)
      return new AnnealError("INVALID_INPUT", "The body is not JSON.", { action: "Send a JSON object." });
    if (cause instanceof TRPCError && cause.code === "NOT_FOUND" && cause.cause === undefined)
      return new AnnealError("NOT_FOUND", cause.message, { action: "Check the name of the procedure." });
  }
  return undefined;
}

function badInput({ issues }: ZodError): AnnealError {
  const sentences = issues.slice(0, 3).map((issue) => sentenceOf(issue));
  return new AnnealError("INVALID_INPUT", sentences.join(" "), {
    action: "Change that, then try again.",
    details: { issues: issues.slice(0, 10).map(({ path, message }) => ({ path: path.join("."), message })) },
  });
}

/** What has no possible id is not there: to somebody who followed a link, that is all there is to say. */
function missingThing({ issues }: ZodError): AnnealError | undefined {
  const [issue] = issues;
  const [field] = issue?.path ?? [];
  if (issues.length !== 1 || issue?.code !== "invalid_format" || issue.format !== "uuid") return undefined;
  if (issue.path.length !== 1 || typeof field !== "string" || !field.endsWith("Id")) return undefined;
  const what = field.slice(0, -2).replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return new AnnealError("NOT_FOUND", `There is no such ${what}.`, {
    action: `Check the link or the id: those of a ${what} are UUIDs.`,
    details: { what },
  });
}

const connectionCodes = new Set(["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "ETIMEDOUT", "57P01", "57P03"]);

function isConnectionFailure(error: Error): boolean {
  return "code" in error && typeof error.code === "string" && connectionCodes.has(error.code);
}
