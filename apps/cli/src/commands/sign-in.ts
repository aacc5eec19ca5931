import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { PortalClient } from "../portal/client.ts";
import { abortOnSignal } from "../abort-on-signal.ts";

export const signInOfferSchema = z.object({ field: z.string(), value: z.string(), with: z.string() });

/** Whether these settings have a person sign in, instead of credentials being passed. */
export function wantsSignIn(offer: z.infer<typeof signInOfferSchema> | null, config: Record<string, unknown>): boolean {
  return offer !== null && config[offer.field] === offer.value;
}

const begunSchema = z.object({
  signInId: z.string(),
  userCode: z.string(),
  verificationUri: z.string(),
  intervalMs: z.number(),
});
const progressSchema = z.discriminatedUnion("status", [
  z.object({ status: z.literal("waiting"), retryInMs: z.number() }),
  z.object({ status: z.literal("done"), account: z.string() }),
]);

/**
 * Shows the code and where to enter it, and waits until somebody has.
 * @returns the sign-in's id, to try and to save a source with
 * @throws AnnealError how it ended otherwise
 */
export async function signIn(
  portal: PortalClient,
  source: { kind: string; config: Record<string, unknown>; sourceId?: string },
  say: (line: string) => void = console.log,
): Promise<string> {
  const { signInId, userCode, verificationUri, intervalMs } = await portal.mutate(
    "connect.beginSignIn",
    source,
    begunSchema,
  );
  const signal = abortOnSignal(() => say("\nNobody is signed in; the code will expire by itself."));
  say(`▸ Open ${verificationUri} and enter the code ${userCode}. Waiting …`);
  for (let waitMs = intervalMs; ;) {
    await sleep(waitMs, undefined, { signal });
    const progress = await portal.mutate("connect.pollSignIn", { signInId }, progressSchema);
    if (progress.status === "done") {
      say(`✓ Signed in as ${progress.account}.`);
      return signInId;
    }
    waitMs = progress.retryInMs;
  }
}
