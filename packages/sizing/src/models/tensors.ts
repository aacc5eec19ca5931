import type { Tensor } from "./model.ts";

type LinearOptions = { bias?: boolean; copies?: number; active?: number; quantizable?: boolean };

/** A weight matrix as torch.nn.Linear keeps it: [out, in] and, if asked for, a bias of `out` elements. */
export function linear(
  module: string,
  role: Tensor["role"],
  shard: Tensor["shard"],
  shape: { in: number; out: number },
  options: LinearOptions = {},
): Tensor {
  const copies = options.copies ?? 1;
  return {
    module,
    role,
    in: shape.in,
    out: shape.out,
    copies,
    active: options.active ?? copies,
    bias: options.bias ? copies * shape.out : 0,
    shard,
    quantizable: options.quantizable ?? true,
  };
}

/** A vector that every GPU keeps: the scale of a norm (with its shift where `bias`), a learned constant per head, … */
export function vector(module: string, size: number, options: { bias?: boolean; role?: Tensor["role"] } = {}): Tensor {
  return {
    module,
    role: options.role ?? "norm",
    in: 1,
    out: size,
    copies: 1,
    active: 1,
    bias: options.bias ? size : 0,
    shard: "replicated",
    quantizable: false,
  };
}

export function embedding(module: string, rows: number, width: number): Tensor {
  return {
    module,
    role: "embedding",
    in: width,
    out: rows,
    copies: 1,
    active: 0,
    bias: 0,
    shard: "vocabulary",
    quantizable: false,
  };
}

export function outputHead(module: string, vocabulary: number, width: number, bias = false): Tensor {
  return linear(module, "head", "vocabulary", { in: width, out: vocabulary }, { quantizable: false, bias });
}
