import type { ConfigFields } from "./config-fields.ts";
import type { Tensor } from "./model.ts";
import { visionReaders } from "./vision-towers.ts";

/** The text side of a wrapper by the `model_type` of its section, where that does not name a decoder's. */
const textTypes: Readonly<Record<string, string>> = {
  qwen2_vl: "qwen2",
  qwen2_vl_text: "qwen2",
  qwen2_5_vl: "qwen2",
  qwen2_5_vl_text: "qwen2",
  qwen3_vl_text: "qwen3",
  qwen3_vl_moe_text: "qwen3_moe",
};

/** Sections of old LLaVA files hold only what differs from LlamaConfig, whose defaults are the 7B model. */
const llamaDefaults = {
  hidden_size: 4096,
  intermediate_size: 11_008,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  vocab_size: 32_000,
  max_position_embeddings: 2048,
};

export const wrapperTypes: readonly string[] = Object.keys(visionReaders);

export type OpenedWrapper = {
  text: ConfigFields;
  textType: string;
  readVision: (textHidden: number) => readonly Tensor[];
};

/** Takes a multimodal config apart: the fields of its text model, and a reader of what the images need. */
export function openWrapper(config: ConfigFields, type: string): OpenedWrapper {
  const name = type === "internvl_chat" ? "llm_config" : "text_config";
  // Qwen2-VL and Qwen2.5-VL were published with the text model's fields beside `vision_config`, not in a section.
  const section = config.section(name) ?? (config.has("hidden_size") ? config : config.missing(name));
  const named = section.optionalText("model_type") ?? type;
  const textType = textTypes[named] ?? named;
  const isTied = config.has("tie_word_embeddings")
    ? { tie_word_embeddings: config.boolean(false, "tie_word_embeddings") }
    : {};
  const defaults = type === "llava" && textType === "llama" ? { ...llamaDefaults, ...isTied } : isTied;
  return {
    text: section.underlay(defaults).with({ model_type: textType }),
    textType,
    readVision: (textHidden) => {
      const vision = config.section("vision_config") ?? config.missing("vision_config");
      return visionReaders[type]?.(config, vision, textHidden) ?? [];
    },
  };
}
