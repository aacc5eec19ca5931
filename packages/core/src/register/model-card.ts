import type { TrainingResult } from "../train/training-result.ts";

export type ModelCardFacts = {
  name: string;
  digest: string;
  rank: number;
  lineage: {
    baseModel: string;
    baseDigest: string;
    datasetDigest: string;
    trainingRunId: string;
    config: Record<string, unknown>;
  };
  metrics: TrainingResult;
  datasetName: string;
  trainCount: number;
  evalCount: number;
};

/** The card of an adapter version, in Markdown: what it is, what it was made from and how well it learned. */
export function buildModelCard(facts: ModelCardFacts): string {
  const { lineage, metrics } = facts;
  const evaluation =
    metrics.evalLossFirst === null || metrics.evalLoss === null
      ? "There was no held-out data, so nothing is known about questions outside the training data."
      : `On ${facts.evalCount} held-out examples the loss went from ${metrics.evalLossFirst.toFixed(3)} (base) to ${metrics.evalLoss.toFixed(3)} (at step ${metrics.keptStep}).`;
  return [
    `# ${facts.name}`,
    "",
    `A LoRA adapter of rank ${facts.rank} for ${lineage.baseModel}.`,
    "",
    "## Made from",
    `- Base: ${lineage.baseModel} (\`${lineage.baseDigest}\`)`,
    `- Dataset: ${facts.datasetName}, ${facts.trainCount} examples (\`${lineage.datasetDigest}\`)`,
    `- Training run: \`${lineage.trainingRunId}\``,
    `- Digest: \`${facts.digest}\``,
    "",
    "## Result",
    `${metrics.steps} steps, ${metrics.tokensTotal} tokens; training loss ${metrics.lossFirst.toFixed(3)} to ${metrics.lossLast.toFixed(3)}${windowOf(metrics)}.`,
    evaluation,
    "",
    "## Settings",
    ...Object.entries(lineage.config).map(([name, value]) => `- ${name}: ${JSON.stringify(value)}`),
    "",
  ].join("\n");
}

function windowOf({ lossWindow }: TrainingResult): string {
  return lossWindow > 1 ? ` (means of the first and the last ${lossWindow} steps)` : "";
}
