import { TRPCClientError } from "@trpc/client";
import { z } from "zod";
import { errorCodes } from "@anneal/core/errors";

/**
 * A failure as it reaches the browser: what happened, what to do, and an id that also stands in the server's log.
 * "INTERNAL" is a bug of ours; "OFFLINE" never reached the server.
 */
export const wireErrorSchema = z.object({
  code: z.enum([...errorCodes, "INTERNAL", "OFFLINE"]),
  message: z.string(),
  action: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
  id: z.string().nullable(),
});
export type WireError = z.infer<typeof wireErrorSchema>;

const offline: WireError = {
  code: "OFFLINE",
  message: "The server could not be reached.",
  action: "Check that Anneal is running and that this machine reaches it; the page tries again by itself.",
  id: null,
};

const unknown: WireError = {
  code: "INTERNAL",
  message: "Something went wrong on this page.",
  action: "Reload the page. If it happens again, tell your administrator what you did.",
  id: null,
};

const carrierSchema = z.object({ report: wireErrorSchema });

/** Never throws and never shows a stack: whatever was thrown becomes three sentences a person can use. */
export function wireErrorOf(error: unknown): WireError {
  if (error instanceof TRPCClientError) {
    const carried = carrierSchema.safeParse(error.data);
    return carried.success ? carried.data.report : offline;
  }
  if (error instanceof TypeError && /fetch|network/i.test(error.message)) return offline;
  return unknown;
}
