import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { AnnealError } from "@anneal/core/errors";

/**
 * A folder that holds no model is refused at once; the engine would say so only after a minute of loading. A Hugging
 * Face id is left to the engine.
 * @throws AnnealError MODEL_UNKNOWN
 */
export function checkBaseModel(model: string): void {
  if (!isAbsolute(model) && !/^\.{1,2}(\/|$)/.test(model)) return;
  if (existsSync(join(model, "config.json"))) return;
  throw new AnnealError(
    "MODEL_UNKNOWN",
    existsSync(model)
      ? `The base model's folder ${model} holds no config.json.`
      : `The base model's folder ${model} does not exist.`,
    {
      action:
        "Set ANNEAL_BASE_MODEL to a folder with a complete model (config.json, safetensors, tokenizer) or to a Hugging Face id, or unset it for the default.",
    },
  );
}
