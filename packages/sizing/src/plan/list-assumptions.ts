import type { Brief } from "./brief.ts";
import type { Workload } from "./concurrency.ts";
import { defaultRetentionFloor } from "./precision.ts";

/** What the brief left open and how it was taken: the questions to settle before anything is bought. */
export function listAssumptions(brief: Brief, workloads: readonly Workload[]): string[] {
  const perWorkload = workloads.flatMap((workload, index) => {
    const name = workloads.length > 1 ? `${workload.name}: ` : "";
    return assumeFor(brief, workload, brief.workloads[index] ?? {}).map((assumption) => `${name}${assumption}`);
  });
  const { sovereignty, purchase } = brief;
  const general = [
    brief.production === undefined
      ? "Production, so on two nodes at least; set production to false for a trial."
      : null,
    purchase === undefined && !sovereignty?.onPremises && brief.budget?.capex === undefined && !brief.existingOnly
      ? 'GPUs are rented; set purchase to "buy", or sovereignty.onPremises.'
      : null,
    brief.qualityFloor === undefined && brief.precisions === undefined
      ? `A format must keep ${100 * defaultRetentionFloor}% of the model's quality, which rules out 4 bits unless they are the checkpoint's own; set qualityFloor.`
      : null,
    brief.prices === undefined && !brief.existingOnly
      ? "Prices are those of the catalogue; set prices to your own."
      : null,
  ];
  return [...perWorkload, ...general.filter((assumption) => assumption !== null)];
}

function assumeFor(brief: Brief, workload: Workload, stated: Brief["workloads"][number]): string[] {
  const { ttftMs, tokensPerSecondPerUser, firstSoundMs } = workload.limits;
  const limits = [
    ttftMs === null ? null : `${ttftMs} ms to the first token`,
    firstSoundMs === null ? null : `${firstSoundMs} ms to the first sound`,
    tokensPerSecondPerUser === null ? null : `${tokensPerSecondPerUser} tokens/s a user`,
  ].filter((limit) => limit !== null);
  const hit = workload.prefixCacheHitRate;
  return [
    stated.profile === undefined ? `The work is ${workload.profile.title}; set profile.` : null,
    stated.context === undefined ? `The longest request has ${workload.contextTokens} tokens; set context.` : null,
    stated.inputTokens === undefined
      ? `A mean request has ${workload.inputTokens} tokens of prompt and ${workload.outputTokens} of answer; set inputTokens and outputTokens.`
      : null,
    stated.slos === undefined && limits.length > 0 ? `The limits are ${limits.join(", ")}; set slos.` : null,
    stated.prefixCacheHitRate === undefined && hit > 0
      ? `${Math.round(100 * hit)}% of a prompt is found in the prefix cache; set prefixCacheHitRate.`
      : null,
    brief.dailyLoad === undefined && workload.online
      ? "The load follows a usual day; set dailyLoad, 24 shares of the peak."
      : null,
  ].filter((assumption) => assumption !== null);
}
