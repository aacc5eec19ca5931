import { countParameters } from "../models/model.ts";
import { countAdapterParameters, sizeLargestAdapted } from "./adapted-modules.ts";
import { estimateAllocatorSlack, fixedLengthSlack, type SlackCalibration } from "./allocator-slack.ts";
import { explainShortage } from "./explain-shortage.ts";
import { sizeFrozenWeights } from "./frozen-weights.ts";
import { type ResidentStates, sizeResidentStates } from "./resident-states.ts";
import { parseTrainingRequest, type TrainingRequest, type TrainingRun } from "./training-request.ts";
import { computeBytesOf, sizeWorkingSet, type WorkingSet } from "./working-set.ts";

export type { TrainingRequest } from "./training-request.ts";

/** What lives at the moment of the peak, in GiB; the parts add up to `peakGibPerGpu`. */
export type TrainingBreakdown = {
  weightsGib: number;
  adapterGib: number;
  gradientsGib: number;
  optimizerGib: number;
  communicationGib: number;
  /** 0 when the optimizer's step is the peak; the same holds for the logits. */
  activationsGib: number;
  logitsGib: number;
  /** A dequantised matrix, or what the optimizer's step adds. */
  temporaryGib: number;
  /** Reserved by the allocator without being in use. */
  allocatorGib: number;
};

export type TrainingMemoryEstimate = {
  /** As torch.cuda.max_memory_reserved() of the fullest GPU tells it: without the CUDA context. */
  peakGibPerGpu: number;
  breakdown: TrainingBreakdown;
  trainableParameters: number;
  fits: boolean;
  /** Why it does not fit, and what to change. */
  reason?: string;
  /** CUDA context, kernels and library handles beside the allocator, in GiB. */
  contextGib: number;
  /** What must be free for the run to go through, context included: the allocator gives slack back before it fails. */
  requiredGib: number;
};

const gib = 1024 ** 3;

/** Assumed, not measured here: what nvidia-smi shows beyond the allocator with torch 2, and NCCL's channels. */
const contextGib = 0.5;
const communicatorGib = 0.5;

/** Of a run on one GPU. */
export const trainingContextBytes = contextGib * gib;

/** A margin of safety, chosen: of the working set, what no block is found for although memory is free. */
const lostInVaryingBlocks = 0.25;

/**
 * Peak memory of one GPU during training, in GiB.
 *
 * peak = states + max(working set of a pass, temporaries of the optimizer's step) + allocator slack
 *
 * @throws SizingError INVALID_REQUEST, UNKNOWN_GPU, UNKNOWN_ARCHITECTURE.
 */
export function estimateTraining(request: TrainingRequest, calibration?: SlackCalibration): TrainingMemoryEstimate {
  const run = parseTrainingRequest(request);
  const trainable = countTrainableParameters(run);
  const base = sizeFrozenWeights(run.model, run.quantization, computeBytesOf(run));
  const states = sizeResidentStates({ ...run, trainable, base });
  const pass = sizeWorkingSet(run);
  const workspace = base.workspaceBytes + sizeDoraNorms(run);

  const working = pass.activations + pass.logits + workspace;
  const isStep = states.stepTemporary > working;
  const temporary = isStep ? states.stepTemporary : workspace;
  const activations = isStep ? 0 : pass.activations;
  const logits = isStep ? 0 : pass.logits;
  const { weights, adapter, gradients, optimizer, communication } = states;
  const live = weights + adapter + gradients + optimizer + communication + activations + logits + temporary;

  const required = live + sizeMargin(run, states, working) + contextOf(run);
  const capacity = run.gpu.memoryGib * gib - contextOf(run);
  // The allocator returns its unused blocks before it fails, so what is reserved ends at the capacity.
  const peak = Math.max(live, Math.min(live + sizeSlack(run, states, pass, calibration), capacity));
  const breakdown = {
    weightsGib: states.weights / gib,
    adapterGib: states.adapter / gib,
    gradientsGib: states.gradients / gib,
    optimizerGib: states.optimizer / gib,
    communicationGib: states.communication / gib,
    activationsGib: activations / gib,
    logitsGib: logits / gib,
    temporaryGib: temporary / gib,
    allocatorGib: (peak - live) / gib,
  };
  const fits = required <= run.gpu.memoryGib * gib;
  return {
    peakGibPerGpu: peak / gib,
    breakdown,
    trainableParameters: trainable,
    fits,
    ...(fits ? {} : { reason: explainShortage(run, breakdown, required / gib) }),
    contextGib: contextOf(run) / gib,
    requiredGib: required / gib,
  };
}

export function countTrainableParameters({ model, method, adapted }: TrainingRun): number {
  return adapted === null
    ? countParameters(model)
    : countAdapterParameters(model, adapted, { dora: method === "dora" });
}

/** What is trained and its optimizer take up to half of what the passes before them left unused. */
function sizeSlack(
  run: TrainingRun,
  states: ResidentStates,
  pass: WorkingSet,
  calibration: SlackCalibration | undefined,
): number {
  const working = pass.activations + pass.logits;
  const fixed = fixedLengthSlack * working;
  if (run.packing) return fixed;
  const slack = estimateAllocatorSlack(pass.lossLogits, run.maxLength, calibration);
  const late = states.adapter + states.gradients + states.optimizer + Math.max(0, states.stepTemporary - working);
  return Math.max(fixed, slack - Math.min(slack / 2, late));
}

/** DoRA divides by the norm of W + BA, for which PEFT makes BA and the sum in float32, one matrix after the other. */
function sizeDoraNorms({ model, method, adapted }: TrainingRun): number {
  return method === "dora" && adapted !== null ? 2 * 4 * sizeLargestAdapted(model, adapted) : 0;
}

/** What is gathered from other GPUs comes in blocks of changing sizes, too: as much again. */
function sizeMargin(run: TrainingRun, states: ResidentStates, working: number): number {
  const gathered = run.sharding === "zero3" || run.sharding === "fsdp" ? states.communication : 0;
  return gathered + working * (run.packing ? fixedLengthSlack : lostInVaryingBlocks);
}

function contextOf(run: TrainingRun): number {
  return (contextGib + (run.gpus > 1 && run.sharding !== null ? communicatorGib : 0)) * gib;
}
