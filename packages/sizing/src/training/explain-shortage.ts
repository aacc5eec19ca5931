import { gpuCatalogue } from "../gpus/catalogue.ts";
import type { TrainingBreakdown } from "./estimate-training.ts";
import type { TrainingRun } from "./training-request.ts";

type Part = "weights" | "states" | "pass";

/** Why a run does not fit, with its numbers, what would shrink its largest part, and the GPU that would hold it. */
export function explainShortage(run: TrainingRun, breakdown: TrainingBreakdown, requiredGib: number): string {
  const parts: Record<Part, number> = {
    weights: breakdown.weightsGib + breakdown.communicationGib,
    states: breakdown.adapterGib + breakdown.gradientsGib + breakdown.optimizerGib,
    pass: breakdown.activationsGib + breakdown.logitsGib + breakdown.temporaryGib,
  };
  const largest = (Object.keys(parts) as Part[]).reduce((a, b) => (parts[b] > parts[a] ? b : a));
  const needed = `This run needs about ${format(requiredGib)} GiB on each GPU; ${run.gpu.id} has ${format(run.gpu.memoryGib)}.`;
  return `${needed} ${describe(largest, parts[largest], run)} ${nameLargerGpu(requiredGib)}`;
}

function describe(part: Part, sizeGib: number, run: TrainingRun): string {
  const size = `${format(sizeGib)} GiB`;
  switch (part) {
    case "weights":
      return run.quantization === null
        ? `The weights alone take ${size}: quantise them (method "qlora"), or spread them with sharding "zero3" over more GPUs.`
        : `The quantised weights alone take ${size}: spread them over more GPUs, or choose a smaller model.`;
    case "states":
      return run.method === "full"
        ? `Gradients and optimizer take ${size}: train an adapter (method "lora"), or divide them with sharding "zero2" or "zero3" over more GPUs.`
        : `The adapter's gradients and optimizer take ${size}: lower loraRank, or name fewer loraTargets.`;
    case "pass":
      return `One pass over ${run.batch} x ${run.maxLength} tokens takes ${size}: ${shrinkPass(run)}.`;
  }
}

function shrinkPass(run: TrainingRun): string {
  const changes = [
    ...(run.gradientCheckpointing ? [] : ["turn gradientCheckpointing on"]),
    ...(run.flashAttention ? [] : ["use flashAttention"]),
    ...(run.batch > 1 ? ["lower batch and accumulate gradients instead"] : ["lower maxLength"]),
  ];
  return changes.join(", ");
}

function nameLargerGpu(requiredGib: number): string {
  const larger = gpuCatalogue
    .filter((gpu) => gpu.memoryGib >= requiredGib)
    .reduce<(typeof gpuCatalogue)[number] | null>(
      (best, gpu) => (best === null || gpu.memoryGib < best.memoryGib ? gpu : best),
      null,
    );
  return larger === null
    ? "No GPU of the catalogue holds it as it is."
    : `As it is, ${larger.id} would hold it (${format(larger.memoryGib)} GiB).`;
}

function format(sizeGib: number): string {
  return sizeGib < 1000 ? sizeGib.toFixed(1) : sizeGib.toFixed(0);
}
