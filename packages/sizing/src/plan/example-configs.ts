import { qwen235b as unquantised } from "../speed/example-models.ts";

/** Qwen3-235B-A22B as its maker publishes it in FP8. */
export const qwen235b = {
  ...unquantised,
  quantization_config: {
    quant_method: "fp8",
    fmt: "e4m3",
    activation_scheme: "dynamic",
    weight_block_size: [128, 128],
  },
};
