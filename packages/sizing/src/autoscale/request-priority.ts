import type { LatencyLimits, ReplicaProfile } from "./replica-profile.ts";

/**
 * The priority that a gateway gives a request, as vLLM reads it with `--scheduling-policy priority` (field `priority`, lower
 * is earlier): 0, or 1 when it cannot have its first token in time on the replica with the least work. It then waits until
 * no other does, so a fleet that is a little too small is late for a few requests; in order of arrival each that comes after
 * it would be late as well.
 * @param pendingPromptTokens of the requests of priority 0 that the replica has and has given no first token yet
 * @param waitedMs at the gateway already
 */
export function requestPriority(
  {
    pendingPromptTokens,
    promptTokens,
    waitedMs,
  }: { pendingPromptTokens: number; promptTokens: number; waitedMs: number },
  profile: Pick<ReplicaProfile, "prefillTokensPerSecond">,
  limits: Pick<LatencyLimits, "ttftMs">,
): 0 | 1 {
  const milliseconds = 1000 / profile.prefillTokensPerSecond;
  const left = limits.ttftMs - promptTokens * milliseconds;
  return waitedMs + pendingPromptTokens * milliseconds > left * patience ? 1 : 0;
}

/**
 * The prompts before it may take half of the time that its own leaves: the tokens of those that are being answered, and what
 * the estimate does not know, take the rest. From a third to a half the share of late requests hardly changes; from two
 * thirds on many that were thought in time are not (fixed fleets on the Azure conversation trace).
 */
const patience = 0.5;
