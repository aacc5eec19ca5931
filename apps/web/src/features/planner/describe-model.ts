import { countTokenKvBytes } from "@anneal/sizing/memory/kv-per-user";
import { countActiveParameters, countLayers, countParameters } from "@anneal/sizing/models/model";
import { readServedModel } from "@anneal/sizing/plan/model-selection";
import { servablePrecisions } from "@anneal/sizing/plan/precision";
import { precisionName } from "@anneal/sizing/plan/words";
import { SizingError } from "@anneal/sizing/sizing-error";
import { formatBytes, formatNumber, formatSignificant } from "#lib/format.ts";

export type ModelFacts = {
  parameters: string;
  cachePerToken: string;
  context: string;
  weights: string;
  notes: readonly string[];
  maxPositions: number;
};

/** What sizing reads from a config.json, in words; null where it cannot read it, which the plan says with the reason. */
export function describeModel(config: Record<string, unknown>): ModelFacts | null {
  try {
    const model = readServedModel(config);
    const all = countParameters(model);
    const active = countActiveParameters(model);
    const hasExperts = model.groups.some(({ mlp }) => mlp.kind === "moe");
    const perToken = countTokenKvBytes(model, { dtype: model.dtype, kvCacheDtype: "auto", tensorParallel: 1 });
    const layers = countLayers(model);
    const [own = "bf16"] = servablePrecisions(model);
    return {
      parameters: `${inWords(all)}${hasExperts ? `, ${inWords(active)} of them for a token` : ""}`,
      cachePerToken: `${formatBytes(perToken)} in ${formatNumber(layers)} layers`,
      context: `up to ${formatNumber(model.maxPositions)} tokens`,
      weights: model.quantization === null ? "16 bits, can be quantised" : `${precisionName(own)} checkpoint`,
      notes: model.notes,
      maxPositions: model.maxPositions,
    };
  } catch (error) {
    if (error instanceof SizingError) return null;
    throw error;
  }
}

/** 70553706496 -> "70.6 billion". */
function inWords(count: number): string {
  const [unit, name] = count >= 1e12 ? [1e12, "trillion"] : count >= 1e9 ? [1e9, "billion"] : [1e6, "million"];
  return `${formatSignificant(count / unit)} ${name}`;
}
