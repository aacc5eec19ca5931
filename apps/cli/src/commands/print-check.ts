import { wordCapability, type CapabilityCheck, type CheckStatus } from "@anneal/core/connect/capability-check";
import { foundSourceSchema, readFailedChecks } from "@anneal/core/connect/check-outcome";
import { isAnnealError } from "@anneal/core/errors";
import type { PortalClient } from "../portal/client.ts";

const marks: Record<CheckStatus, string> = { ok: "✓", warning: "!", missing: "✗" };

/** One line for each capability, in the connector's order: mark, capability, what works or is wrong, what to do. */
export function formatChecks(checks: readonly CapabilityCheck[]): string[] {
  return checks.map(({ capability, status, message, action }) =>
    [`${marks[status]} ${wordCapability(capability)}:`, message, action].filter(Boolean).join(" "),
  );
}

/**
 * Tries a source and prints what was found, each capability of it also where the source cannot be read.
 * @throws AnnealError that says why it cannot be read
 */
export async function checkAndPrint(
  portal: Pick<PortalClient, "mutate">,
  procedure: "connect.check" | "connect.checkDraft",
  input: unknown,
  say: (line: string) => void = console.log,
): Promise<void> {
  try {
    const { summary, checks } = await portal.mutate(procedure, input, foundSourceSchema);
    for (const line of [`✓ ${summary}`, ...formatChecks(checks)]) say(line);
  } catch (error) {
    if (!isAnnealError(error)) throw error;
    // What to do about what the error says is said once, with it.
    const checks = readFailedChecks(error).map(({ action, ...check }) =>
      action === undefined || action === error.action ? check : { ...check, action },
    );
    for (const line of formatChecks(checks)) say(line);
    throw error;
  }
}
