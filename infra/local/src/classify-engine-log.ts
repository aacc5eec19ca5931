import { AnnealError, type ErrorCode } from "@anneal/core/errors";

type Rule = { pattern: RegExp; code: ErrorCode; message: string; action: string };

/** vLLM says why it cannot start only in its log; these are its words (0.32) for what a person can do something about. */
const rules: readonly Rule[] = [
  {
    pattern: /address already in use/i,
    code: "PORT_TAKEN",
    message: "The port of the inference engine was taken by another program.",
    action: "Start the stack again; it chooses another port.",
  },
  {
    pattern: /No space left on device/,
    code: "DISK_FULL",
    message: "The disk is full: the inference engine could not write.",
    action: "Free some space and start again.",
  },
  {
    pattern:
      /not a valid model identifier|Repo id must be|Invalid repository ID|does not appear to have a file named|Can't load (the )?config|couldn't connect to|Cannot find an appropriate cached snapshot|outgoing traffic has been disabled|No such file or directory: '.*(config\.json|safetensors)/i,
    code: "MODEL_UNKNOWN",
    message: "The inference engine could not find or read the base model.",
    action: "Set ANNEAL_BASE_MODEL to a folder that holds a complete model (config.json, safetensors, tokenizer).",
  },
  {
    pattern: /are not supported for now|Model architectures .* not supported/,
    code: "MODEL_UNKNOWN",
    message: "The inference engine does not support the architecture of this base model.",
    action: "Choose a model that vLLM lists as supported.",
  },
  {
    pattern:
      /out of memory|MemoryError|Cannot allocate memory|No available memory for the cache blocks|larger than the (available|maximum).*KV cache|KV cache is needed/i,
    code: "ADMISSION_REFUSED",
    message: "The inference engine did not get enough memory for the model and its KV cache.",
    action: "Close other programs, or lower the KV cache or the context length.",
  },
];

/** @returns undefined when the log names no reason that is known */
export function classifyEngineLog(lines: readonly string[]): AnnealError | undefined {
  const text = lines.join("\n");
  const rule = rules.find((candidate) => candidate.pattern.test(text));
  if (!rule) return undefined;
  const line = lines.findLast((candidate) => rule.pattern.test(candidate));
  return new AnnealError(rule.code, rule.message, {
    action: rule.action,
    details: { log: line?.trim().slice(0, 500) },
  });
}
