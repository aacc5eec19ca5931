import { z } from "zod";
import { AnnealError } from "../errors.ts";
import type { TrainingSettings } from "../loop/settings.ts";

/** The part of PEFT's adapter_config.json that decides whether an engine can serve the adapter. */
export const adapterConfigSchema = z.object({
  peft_type: z.string(),
  base_model_name_or_path: z.string().nullable(),
  r: z.number().int().positive(),
  target_modules: z.union([z.array(z.string()), z.string()]).nullable(),
  use_dora: z.boolean().optional(),
  use_rslora: z.boolean().optional(),
  bias: z.string().optional(),
  modules_to_save: z.array(z.string()).nullish(),
  rank_pattern: z.record(z.string(), z.number()).optional(),
});
export type AdapterConfig = z.infer<typeof adapterConfigSchema>;

export type EngineLimits = {
  /** Served names of the base models that engines carry. */
  baseModels: string[];
  /** vLLM's --max-lora-rank, the smallest of all replicas; null when not known. */
  maxLoraRank: number | null;
};

/** What every engine can do; before any has said its own rank, the one of the settings. */
export function engineLimitsOf(
  replicas: readonly { baseModel: string; maxLoraRank: number | null }[],
  configuredRank: number | null,
): EngineLimits {
  const ranks = replicas.flatMap((replica) => replica.maxLoraRank ?? []);
  return {
    baseModels: [...new Set(replicas.map((replica) => replica.baseModel))],
    maxLoraRank: ranks.length > 0 ? Math.min(...ranks) : configuredRank,
  };
}

/** A folder, an id with its owner and a served name are the same model when their last segments are. */
export function isSameModel(one: string, other: string): boolean {
  const nameOf = (model: string) => model.split("/").filter(Boolean).at(-1);
  return nameOf(one) === nameOf(other);
}

/** vLLM rounds the limit up to one of these; a larger rank is refused when it loads (vllm/config/lora.py). */
export const vllmLoraRanks = [1, 8, 16, 32, 64, 128, 256, 320, 512] as const;

/**
 * Refuses an adapter that would fail at load: found at registration, with words, instead of as a 500 at deployment.
 * @param files names in the adapter's folder; only safetensors may carry weights, since pickles run code when loaded
 */
export function assertServeable(rawConfig: unknown, files: readonly string[], limits: EngineLimits): AdapterConfig {
  const refuse = (message: string, action: string, details: Record<string, unknown> = {}) => {
    throw new AnnealError("ADAPTER_UNSERVEABLE", message, { action, details });
  };
  const parsed = adapterConfigSchema.safeParse(rawConfig);
  if (!parsed.success) {
    throw new AnnealError("ADAPTER_UNSERVEABLE", "The adapter_config.json is not one of PEFT.", {
      action: "Export the adapter with PEFT's save_pretrained.",
      details: { issues: z.prettifyError(parsed.error) },
    });
  }
  const config = parsed.data;
  const unsafe = files.filter((file) => /\.(bin|pt|pth|pkl|pickle|ckpt|msgpack|h5)$/i.test(file));
  if (unsafe.length > 0) {
    refuse(
      `The adapter has files that can run code when they are loaded: ${unsafe.join(", ")}.`,
      "Save it as safetensors only.",
    );
  }
  if (!files.includes("adapter_model.safetensors")) {
    refuse("The adapter has no adapter_model.safetensors.", "Save its weights as safetensors under that name.");
  }
  if (config.peft_type !== "LORA") {
    refuse(`The engine serves LoRA adapters, not ${config.peft_type}.`, "Train with method lora or rslora.");
  }
  if (config.use_dora)
    refuse("The engine cannot serve DoRA adapters.", "Train with method lora or rslora, or merge it into the base.");
  if (config.modules_to_save?.length) {
    refuse(
      `The adapter carries whole modules (${config.modules_to_save.join(", ")}), which the engine does not load.`,
      "Train without modules_to_save.",
    );
  }
  if (config.bias !== undefined && config.bias !== "none") {
    refuse(`The adapter trains biases (${config.bias}), which the engine does not load.`, 'Train with bias "none".');
  }
  assertRankServeable(Math.max(config.r, ...Object.values(config.rank_pattern ?? {})), limits.maxLoraRank);
  const base = config.base_model_name_or_path ?? "";
  if (!limits.baseModels.some((name) => isSameModel(name, base))) {
    refuse(
      `The adapter was trained for ${base || "an unnamed base"}, and no engine serves that.`,
      `Train for one of: ${limits.baseModels.join(", ") || "(no engine is known yet)"}.`,
      { base, baseModels: limits.baseModels },
    );
  }
  return config;
}

/**
 * Asked before a run starts and again before its training, so that nobody waits for what no engine could serve.
 * @param baseModel what is trained; null where that is not known
 */
export function assertTrainingServeable(
  { method, rank }: Pick<TrainingSettings, "method" | "rank">,
  baseModel: string | null,
  limits: EngineLimits,
): void {
  if (method === "dora" || method === "full") {
    throw new AnnealError(
      "ADAPTER_UNSERVEABLE",
      method === "dora"
        ? "The engine cannot serve DoRA adapters."
        : "A full fine-tuning makes a model of its own, which the engine cannot load beside its base.",
      { action: "Train with method lora or rslora.", details: { method } },
    );
  }
  assertRankServeable(rank, limits.maxLoraRank);
  // No engine known is no reason: one may come while it trains.
  if (baseModel === null || limits.baseModels.length === 0) return;
  if (limits.baseModels.some((name) => isSameModel(name, baseModel))) return;
  throw new AnnealError(
    "MODEL_UNKNOWN",
    `Adapters would be trained for ${baseModel}, and the engine serves ${limits.baseModels.join(", ")}.`,
    {
      action: `Start the engine with ${baseModel}, or set ANNEAL_BASE_MODEL to the folder of the model that it serves.`,
      details: { baseModel, served: limits.baseModels },
    },
  );
}

function assertRankServeable(rank: number, maxLoraRank: number | null): void {
  if (maxLoraRank === null || rank <= maxLoraRank) return;
  throw new AnnealError(
    "ADAPTER_UNSERVEABLE",
    `The adapter's rank ${rank} is above the engine's limit of ${maxLoraRank}.`,
    {
      action: `Train with a rank of at most ${maxLoraRank}, or start the engine with ANNEAL_MAX_LORA_RANK=${vllmLoraRanks.find((size) => size >= rank) ?? rank} (vLLM's own --max-lora-rank).`,
      details: { rank, maxLoraRank },
    },
  );
}
