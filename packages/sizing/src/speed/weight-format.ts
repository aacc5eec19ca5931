import { chooseWeightFormat, type WeightFormat } from "../memory/weight-bytes.ts";
import type { Model, Quantization } from "../models/model.ts";
import { SizingError } from "../sizing-error.ts";

/** Bytes of one weight with its scales, as the engines' default groups have it: 16 elements a scale in NVFP4, 32 in MXFP4. */
export const bytesPerWeight: Readonly<Record<"bf16" | "fp8" | "int8" | "int4" | "nvfp4" | "mxfp4", number>> = {
  bf16: 2,
  fp8: 1,
  int8: 1,
  int4: 4.15625 / 8,
  nvfp4: 4.5 / 8,
  mxfp4: 4.25 / 8,
};

/** Formats, and the names that engines and benchmark tables give them. Null is 16 bits. */
const precisions: Readonly<Record<string, Quantization | null>> = {
  bf16: null,
  fp16: null,
  bfloat16: null,
  float16: null,
  fp8: "fp8",
  fp8_block: "fp8",
  int8: "int8",
  int4: "int4",
  awq: "int4",
  gptq: "int4",
  fp4: "nvfp4",
  nvfp4: "nvfp4",
  mxfp4: "mxfp4",
  nf4: "nf4",
};

/**
 * How weights are kept and multiplied. Without a precision (or with an empty one) it is the checkpoint's own format, else
 * 16 bits; "fp4" of a checkpoint in MXFP4 (gpt-oss) means that one.
 */
export function readPrecision(precision: string | null | undefined, model: Model): WeightFormat {
  if (precision === null || precision === undefined || precision === "") return chooseWeightFormat(model, null, null);
  const key = precision.toLowerCase();
  if (!Object.hasOwn(precisions, key)) {
    throw new SizingError(
      "INVALID_REQUEST",
      `The field precision is "${precision}"; it must be one of ${Object.keys(precisions).join(", ")}.`,
      { field: "precision", value: precision },
    );
  }
  const named = precisions[key] ?? null;
  const quantization = named === "nvfp4" && model.quantization === "mxfp4" ? "mxfp4" : named;
  if (quantization === null) return { dtype: model.dtype, scheme: null };
  return chooseWeightFormat(model, null, quantization);
}
