import type { LayerGroup, Model, Tensor } from "../models/model.ts";
import { type AdaptedModules, isAdapted, isLinear } from "./adapted-modules.ts";

export type ActivationOptions = {
  /** Bytes of a number in the computation: 2, or 4 in float32. */
  computeBytes: number;
  flashAttention: boolean;
  /** null: every weight is trained. */
  adapted: AdaptedModules | null;
  dora: boolean;
};

/** What one decoder layer holds, in bytes. */
export type LayerActivations = {
  /** Kept for a token from the forward pass to the backward pass. */
  keptPerToken: number;
  /** Gradients that live beside them while the layer's backward pass runs, for a token. */
  gradientsPerToken: number;
  /** Attention scores of one sequence: this times the square of its length; 0 with a fused kernel. */
  scoresPerSquare: number;
};

/**
 * The tensors that autograd keeps, operator by operator (as Korthikanti et al. 2022, section 4, count them for GPT; here
 * for the modules of transformers and PEFT, where a frozen matrix keeps nothing of its input):
 * - a norm computes in float32 and keeps its float32 input; its normalised output only if its scale is trained;
 * - a trained or adapted matrix: its input, once for the matrices that share it, and nothing more where it is an output
 *   kept anyway; an adapter also A's output, DoRA the outputs of base and adapter, which its magnitude multiplies. (PEFT
 *   under autocast casts the input for each adapter apart: up to a tenth more without checkpointing.)
 * - attention: queries, keys, values, output; where one matrix makes all three, the values are a view that keeps it whole;
 *   without a fused kernel the softmax in float32 and in 16 bits (6 bytes a score), keys and values repeated for each head;
 * - MLP: gate, activated gate and up projection, of all experts that a token visits, and the tokens gathered for them.
 */
export function sizeLayerActivations(group: LayerGroup, model: Model, options: ActivationOptions): LayerActivations {
  const { computeBytes } = options;
  const hidden = model.hiddenSize;
  const attention = sizeAttention(group, options);
  const mlp = countMlpElements(group, hidden) * computeBytes;
  const gathered = group.mlp.kind === "moe" ? 3 * group.mlp.expertsPerToken * hidden * computeBytes : 0;
  const inputs = countInputElements(group, hidden, options) * computeBytes;
  return {
    keptPerToken: sizeNorms(group, hidden, options) + attention.kept + mlp + gathered + inputs,
    gradientsPerToken: 2 * hidden * computeBytes + Math.max(mlp, attention.kept),
    scoresPerSquare: attention.scoresPerSquare,
  };
}

function sizeAttention(
  { mixer, tensors }: LayerGroup,
  { computeBytes, flashAttention }: ActivationOptions,
): { kept: number; scoresPerSquare: number } {
  if (mixer.kind === "recurrent") {
    const outputs = tensors.reduce((sum, each) => sum + (each.role === "attention" && each.in > 1 ? each.out : 0), 0);
    return { kept: outputs * computeBytes, scoresPerSquare: 0 };
  }
  const { heads } = mixer;
  const queryHead = mixer.kind === "mla" ? mixer.nopeHeadSize + mixer.ropeHeadSize : mixer.headSize;
  const kvHeads = mixer.kind === "mla" ? heads : mixer.kvHeads;
  const query = heads * queryHead;
  const key = kvHeads * queryHead;
  const value = kvHeads * mixer.valueHeadSize;
  const output = heads * mixer.valueHeadSize;
  const latent = mixer.kind === "mla" ? mixer.latentRank + mixer.ropeHeadSize : 0;
  const isFused = tensors.some((each) => each.role === "attention" && each.out === query + key + value);
  const view = isFused ? query + key : 0;
  const repeated = flashAttention ? 0 : (heads - kvHeads) * (queryHead + mixer.valueHeadSize);
  return {
    kept: (query + key + value + output + latent + view + repeated) * computeBytes,
    scoresPerSquare: flashAttention ? 0 : heads * (computeBytes === 4 ? 4 : 6),
  };
}

/** Three vectors of the intermediate width where the MLP is gated, two where it is not: as many as it has matrices. */
export function countMlpElements({ tensors }: LayerGroup, hidden: number): number {
  return tensors.filter(isMlp).reduce((sum, each) => sum + (each.active * each.in * each.out) / hidden, 0);
}

function sizeNorms(
  { tensors, mixer }: LayerGroup,
  hidden: number,
  { computeBytes, adapted }: ActivationOptions,
): number {
  const bytes = 4 + (adapted === null ? computeBytes : 0);
  const heads = mixer.kind === "recurrent" ? 1 : mixer.heads;
  return tensors
    .filter((each) => each.role === "norm" && each.in === 1)
    .reduce(
      (sum, { out }) =>
        sum + (mixer.kind === "attention" && out === mixer.headSize && out < hidden ? heads * out : out) * bytes,
      0,
    );
}

function countInputElements({ tensors }: LayerGroup, hidden: number, { adapted, dora }: ActivationOptions): number {
  const trained = tensors.filter((each) => isLinear(each) && (adapted === null || isAdapted(adapted, each)));
  const reads = (isAttention: boolean) =>
    trained.some((each) => each.in === hidden && (each.role === "attention") === isAttention) ? hidden : 0;
  const activated = trained
    .filter((each) => isMlp(each) && each.out === hidden)
    .reduce((sum, each) => sum + each.active * each.in, 0);
  const extra = trained.reduce(
    (sum, each) => sum + each.active * ((adapted?.rank ?? 0) + (dora ? 2 * each.out : 0)),
    0,
  );
  return reads(true) + reads(false) + activated + extra;
}

function isMlp({ role }: Tensor): boolean {
  return role === "mlp" || role === "expert" || role === "sharedExpert";
}
