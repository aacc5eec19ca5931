import { z } from "zod";
import { SizingError } from "../sizing-error.ts";

const indexSchema = z.object({
  metadata: z.object({ total_size: z.number().int().positive() }),
  weight_map: z.record(z.string(), z.string()).optional(),
});

/** `model.safetensors.index.json`: bytes of all shards together, and how many tensors and files there are. */
export function readSafetensorsIndex(index: unknown): { totalBytes: number; tensors: number; files: number } {
  const parsed = indexSchema.safeParse(index);
  if (!parsed.success) {
    throw new SizingError(
      "INVALID_REQUEST",
      "The safetensors index lacks metadata.total_size, a positive whole number of bytes.",
      { field: "metadata.total_size" },
    );
  }
  const files = Object.values(parsed.data.weight_map ?? {});
  return {
    totalBytes: parsed.data.metadata.total_size,
    tensors: files.length,
    files: new Set(files).size,
  };
}

/** Bits of one element by the dtype names of the safetensors format. */
const elementBits: Readonly<Record<string, number>> = {
  F64: 64,
  I64: 64,
  U64: 64,
  F32: 32,
  I32: 32,
  U32: 32,
  F16: 16,
  BF16: 16,
  I16: 16,
  U16: 16,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  I8: 8,
  U8: 8,
  BOOL: 8,
  F4: 4,
};

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});

export type SafetensorsSummary = {
  elements: number;
  totalBytes: number;
  bytesByDtype: Readonly<Record<string, number>>;
};

/**
 * The JSON header of one .safetensors file (https://github.com/huggingface/safetensors): elements and bytes as stored.
 * Elements of packed formats (U8 pairs of 4-bit weights, I32 of eight) count as they are stored, not as weights.
 * @throws SizingError INVALID_REQUEST that names the tensor whose entry is malformed or contradicts itself.
 */
export function readSafetensorsHeader(header: unknown): SafetensorsSummary {
  const parsed = z.record(z.string(), z.unknown()).safeParse(header);
  if (!parsed.success) throw malformed("header", "it must be the JSON object at the head of a .safetensors file");
  const bytesByDtype: Record<string, number> = {};
  let elements = 0;
  for (const [name, value] of Object.entries(parsed.data)) {
    if (name === "__metadata__") continue;
    const entry = entrySchema.safeParse(value);
    if (!entry.success) throw malformed(name, "it must have dtype, shape and data_offsets");
    const { dtype, shape, data_offsets: offsets } = entry.data;
    const bits = elementBits[dtype];
    if (bits === undefined)
      throw malformed(name, `its dtype ${dtype} is not one of ${Object.keys(elementBits).join(", ")}`);
    const count = shape.reduce((product, size) => product * size, 1);
    const bytes = offsets[1] - offsets[0];
    if (bytes !== Math.ceil((count * bits) / 8)) {
      throw malformed(name, `its offsets span ${bytes} bytes, its shape takes ${Math.ceil((count * bits) / 8)}`);
    }
    elements += count;
    bytesByDtype[dtype] = (bytesByDtype[dtype] ?? 0) + bytes;
  }
  return { elements, totalBytes: Object.values(bytesByDtype).reduce((sum, bytes) => sum + bytes, 0), bytesByDtype };
}

function malformed(name: string, rule: string): SizingError {
  return new SizingError("INVALID_REQUEST", `The safetensors entry ${name} cannot be read: ${rule}.`, { field: name });
}
