import type { MixerPart } from "./attention.ts";
import type { Dtype } from "./model.ts";
import { linear, vector } from "./tensors.ts";

export type StateSpaceShape = {
  hidden: number;
  heads: number;
  headSize: number;
  stateSize: number;
  groups: number;
  kernel: number;
  convolutionBias: boolean;
  bias: boolean;
  stateDtype?: Dtype;
};

/** Mamba-2 (arXiv 2405.21060): one input projection of gate, x, B, C and dt, a short convolution over x, B and C. */
export function buildMamba2(shape: StateSpaceShape): MixerPart {
  const { hidden, heads, kernel, bias } = shape;
  const inner = heads * shape.headSize;
  const convolved = inner + 2 * shape.groups * shape.stateSize;
  return {
    mixer: {
      kind: "recurrent",
      heads,
      stateElements: inner * shape.stateSize,
      convolutionElements: (kernel - 1) * convolved,
      ...(shape.stateDtype ? { stateDtype: shape.stateDtype } : {}),
    },
    tensors: [
      linear("in_proj", "attention", "column", { in: hidden, out: inner + convolved + heads }, { bias }),
      linear(
        "conv1d",
        "other",
        "column",
        { in: kernel, out: convolved },
        {
          bias: shape.convolutionBias,
          quantizable: false,
        },
      ),
      ...["dt_bias", "A_log", "D"].map((name) => vector(name, heads, { role: "other" })),
      vector("norm", inner),
      linear("out_proj", "attention", "row", { in: inner, out: hidden }, { bias }),
    ],
  };
}

/** Mamba (arXiv 2312.00752) as Jamba has it, with norms of dt, B and C. */
export function buildMamba1(shape: {
  hidden: number;
  inner: number;
  stateSize: number;
  rank: number;
  kernel: number;
  convolutionBias: boolean;
  bias: boolean;
}): MixerPart {
  const { hidden, inner, stateSize, rank, kernel, bias } = shape;
  return {
    mixer: {
      kind: "recurrent",
      heads: inner,
      stateElements: inner * stateSize,
      convolutionElements: (kernel - 1) * inner,
    },
    tensors: [
      linear("in_proj", "attention", "column", { in: hidden, out: 2 * inner }, { bias }),
      linear(
        "conv1d",
        "other",
        "column",
        { in: kernel, out: inner },
        {
          bias: shape.convolutionBias,
          quantizable: false,
        },
      ),
      linear("x_proj", "attention", "row", { in: inner, out: rank + 2 * stateSize }),
      linear("dt_proj", "attention", "column", { in: rank, out: inner }, { bias: true }),
      linear("A_log", "other", "column", { in: stateSize, out: inner }, { quantizable: false }),
      vector("D", inner, { role: "other" }),
      vector("dt_layernorm", rank),
      vector("b_layernorm", stateSize),
      vector("c_layernorm", stateSize),
      linear("out_proj", "attention", "row", { in: inner, out: hidden }, { bias }),
    ],
  };
}

/** Gated DeltaNet (arXiv 2412.06464) as Qwen3-Next has it; `split` names the four input matrices of Qwen 3.5. */
export function buildGatedDelta(shape: {
  hidden: number;
  keyHeads: number;
  valueHeads: number;
  keyHeadSize: number;
  valueHeadSize: number;
  kernel: number;
  split: boolean;
  stateDtype?: Dtype;
}): MixerPart {
  const { hidden, valueHeads, kernel } = shape;
  const keys = shape.keyHeads * shape.keyHeadSize;
  const values = valueHeads * shape.valueHeadSize;
  const project = (module: string, out: number) => linear(module, "attention", "column", { in: hidden, out });
  const inputs = shape.split
    ? [
        project("in_proj_qkv", 2 * keys + values),
        project("in_proj_z", values),
        project("in_proj_b", valueHeads),
        project("in_proj_a", valueHeads),
      ]
    : [project("in_proj_qkvz", 2 * keys + 2 * values), project("in_proj_ba", 2 * valueHeads)];
  return {
    mixer: {
      kind: "recurrent",
      heads: valueHeads,
      stateElements: valueHeads * shape.keyHeadSize * shape.valueHeadSize,
      convolutionElements: (kernel - 1) * (2 * keys + values),
      ...(shape.stateDtype ? { stateDtype: shape.stateDtype } : {}),
    },
    tensors: [
      ...inputs,
      linear("conv1d", "other", "column", { in: kernel, out: 2 * keys + values }, { quantizable: false }),
      vector("dt_bias", valueHeads, { role: "other" }),
      vector("A_log", valueHeads, { role: "other" }),
      vector("norm", shape.valueHeadSize),
      linear("out_proj", "attention", "row", { in: values, out: hidden }),
    ],
  };
}

/** Lightning attention (MiniMax-01, arXiv 2501.08313): a state of headSize x headSize for each head. */
export function buildLightning(shape: { hidden: number; heads: number; headSize: number }): MixerPart {
  const { hidden, heads, headSize } = shape;
  const inner = heads * headSize;
  return {
    mixer: {
      kind: "recurrent",
      heads,
      stateElements: inner * headSize,
      convolutionElements: 0,
    },
    tensors: [
      linear("qkv_proj", "attention", "column", { in: hidden, out: 3 * inner }),
      linear("output_gate", "attention", "column", { in: hidden, out: inner }),
      vector("norm", inner),
      linear("out_proj", "attention", "row", { in: inner, out: hidden }),
    ],
  };
}

/** A layer that mixes no tokens. */
export const noMixer: MixerPart = {
  mixer: { kind: "recurrent", heads: 1, stateElements: 0, convolutionElements: 0 },
  tensors: [],
};
