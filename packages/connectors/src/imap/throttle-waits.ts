import type { ImapFlow } from "imapflow";
import type { WithoutSlot } from "../remote/host-slots.ts";
import type { Pacing } from "../remote/pacing.ts";

/** What the library waits by: an inner part of it, which a test with a server that throttles watches. */
type Waiting = { throttleWait(delayMs: number): Promise<boolean> };

export type ThrottleWaits = {
  /** Before each piece of work, which sleeps without its place at the host. */
  begin(withoutSlot: WithoutSlot): void;
  /** What the server asked for and is left to the workflow, or null. */
  leftMs(): number | null;
};

/**
 * Microsoft 365 throttles a command with the time to wait, and the library sleeps through that, up to five minutes at
 * once and four times. It asks here instead: before a command fails, which then tells all of it, and before a FETCH is
 * repeated, with the rest.
 */
export function decideThrottleWaits(client: ImapFlow, pacing: Pacing): ThrottleWaits {
  let tries = pacing.begin();
  let withoutSlot: WithoutSlot = (wait) => wait();
  let beforeFailureMs: number | null = null;
  let leftMs: number | null = null;
  (client as unknown as Waiting).throttleWait = async (delayMs) => {
    if (beforeFailureMs === null) {
      beforeFailureMs = delayMs;
      return false;
    }
    const toldMs = beforeFailureMs + delayMs;
    beforeFailureMs = null;
    if (!tries.again(toldMs)) {
      leftMs = toldMs;
      // As if the connection had been closed meanwhile: nothing is repeated.
      return true;
    }
    await withoutSlot(() => pacing.turn());
    return false;
  };
  return {
    begin(ofWork) {
      withoutSlot = ofWork;
      tries = pacing.begin();
      beforeFailureMs = leftMs = null;
    },
    leftMs: () => leftMs,
  };
}
