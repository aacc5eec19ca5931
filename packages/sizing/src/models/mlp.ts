import type { Mlp, Tensor } from "./model.ts";
import { linear, vector } from "./tensors.ts";

export type MlpPart = { mlp: Mlp; tensors: Tensor[] };

/** Of layers that only mix tokens. */
export const noMlp: MlpPart = { mlp: { kind: "none" }, tensors: [] };

/** Gated feed-forward (SwiGLU, GeGLU; Shazeer 2020); `fused` keeps gate and up in one matrix, as checkpoints do. */
export function buildGatedMlp(
  hidden: number,
  intermediate: number,
  options: { bias?: boolean; fused?: boolean; names?: readonly [gate: string, up: string, down: string] } = {},
): MlpPart {
  const { bias, names = ["gate_proj", "up_proj", "down_proj"] } = options;
  const inputs = options.fused
    ? [linear("gate_up_proj", "mlp", "column", { in: hidden, out: 2 * intermediate }, { bias })]
    : [names[0], names[1]].map((name) => linear(name, "mlp", "column", { in: hidden, out: intermediate }, { bias }));
  return {
    mlp: { kind: "dense", intermediateSize: intermediate },
    tensors: [...inputs, linear(names[2], "mlp", "row", { in: intermediate, out: hidden }, { bias })],
  };
}

/** Two matrices around an activation. */
export function buildPlainMlp(
  hidden: number,
  intermediate: number,
  options: { bias?: boolean; names: readonly [up: string, down: string] },
): MlpPart {
  const { bias, names } = options;
  return {
    mlp: { kind: "dense", intermediateSize: intermediate },
    tensors: [
      linear(names[0], "mlp", "column", { in: hidden, out: intermediate }, { bias }),
      linear(names[1], "mlp", "row", { in: intermediate, out: hidden }, { bias }),
    ],
  };
}

export type ExpertsShape = {
  hidden: number;
  intermediate: number;
  experts: number;
  expertsPerToken: number;
  /** Width of all shared experts together; 0 where there are none. */
  sharedIntermediate?: number;
  /** A learned gate of the shared expert (Qwen2-MoE). */
  sharedGate?: boolean;
  /** Gate and up in one tensor for all experts (gpt-oss, Llama 4). */
  fused?: boolean;
  bias?: boolean;
  names?: readonly [gate: string, up: string, down: string];
  sharedNames?: readonly [gate: string, up: string, down: string];
  router?: string;
  routerBias?: boolean;
  /** A bias per expert that only the choice of experts reads (DeepSeek-V3). */
  scoreCorrection?: boolean;
  /** Two matrices an expert instead of three. */
  plain?: boolean;
};

/** Mixture of experts: all reside in memory, `expertsPerToken` of them compute. */
export function buildExperts(shape: ExpertsShape): MlpPart {
  const { hidden, intermediate, experts, expertsPerToken, sharedIntermediate = 0, bias } = shape;
  const options = { copies: experts, active: expertsPerToken, bias };
  const [gate, up, down] = shape.names ?? ["gate_proj", "up_proj", "down_proj"];
  const expert = (name: string, size: { in: number; out: number }) => linear(name, "expert", "expert", size, options);
  const inputs = shape.fused
    ? [expert("gate_up_proj", { in: hidden, out: 2 * intermediate })]
    : (shape.plain ? [up] : [gate, up]).map((name) => expert(name, { in: hidden, out: intermediate }));
  const router = linear(
    shape.router ?? "gate",
    "router",
    "replicated",
    { in: hidden, out: experts },
    { quantizable: false, bias: shape.routerBias },
  );
  return {
    mlp: {
      kind: "moe",
      experts,
      expertsPerToken,
      intermediateSize: intermediate,
      sharedIntermediateSize: sharedIntermediate,
    },
    tensors: [
      router,
      ...(shape.scoreCorrection ? [vector("e_score_correction_bias", experts, { role: "router" })] : []),
      ...inputs,
      expert(down, { in: intermediate, out: hidden }),
      ...(sharedIntermediate > 0 ? buildSharedExpert(shape, sharedIntermediate) : []),
    ],
  };
}

function buildSharedExpert(shape: ExpertsShape, width: number): Tensor[] {
  const { hidden } = shape;
  const [gate, up, down] = shape.sharedNames ?? ["gate_proj", "up_proj", "down_proj"];
  const inputs = (shape.plain ? [up] : [gate, up]).map((name) =>
    linear(name, "sharedExpert", "column", { in: hidden, out: width }),
  );
  return [
    ...inputs,
    linear(down, "sharedExpert", "row", { in: width, out: hidden }),
    ...(shape.sharedGate
      ? [linear("shared_expert_gate", "router", "replicated", { in: hidden, out: 1 }, { quantizable: false })]
      : []),
  ];
}
