import type { TrainingSettings } from "@anneal/core/loop/settings";
import type { PoolNode } from "@anneal/db/schema";
import type { MemberPlacement } from "@anneal/sizing/placement/cluster-snapshot";
import type { Decision } from "@anneal/sizing/placement/decision";
import type { BaseModel } from "../base-model.ts";
import { findGpuThatHolds, type TrainingDemand } from "./size-training.ts";

/** A member of something that runs on the machine, with the main memory that it was given. */
type Held = MemberPlacement & { memoryMib: number };

/**
 * In the words of a training: what it needs, what the machine has, and the GPU that would hold it.
 * @param node the machine that it would run on, null when there is none
 * @param held what runs on that machine
 */
export function explainRefusal(
  decision: Extract<Decision, { status: "refused" }>,
  request: { pool: string; node: PoolNode | null; held: readonly Held[] },
  { demand, model, training }: { demand: TrainingDemand; model: BaseModel; training: TrainingSettings },
): { reason: string; action: string } {
  if (decision.code !== "never-fits") return { reason: decision.reason, action: decision.action };
  const { node, held } = request;
  const larger = findGpuThatHolds(model, training);
  return {
    reason:
      node === null ? `There is no machine in the pool ${request.pool} to train on.` : compare(node, held, demand),
    action: `Lower the batch tokens, the maximum length or the rank, or train on a larger machine${larger ? `: one ${larger.name} (${larger.memoryGib} GiB) would hold it` : ""}.`,
  };
}

function compare(node: PoolNode, held: readonly Held[], { estimate, member }: TrainingDemand): string {
  const { devices } = node;
  if (member.gpus > 0 && devices !== undefined && member.memoryMib <= node.memoryMib) {
    const booked = (index: number) =>
      held.flatMap(({ gpus }) => gpus).reduce((sum, each) => sum + (each.index === index ? each.milli : 0), 0);
    const freest = Math.max(...devices.ids.map((_, index) => 1000 - booked(index)));
    const total = devices.gpu.memoryGib;
    const cards = `${devices.gpu.name}${devices.ids.length > 1 ? ` (the freest of ${devices.ids.length})` : ""}`;
    return `The training needs ${inGib(estimate.totalBytes)} of GPU memory, and the ${cards} of ${node.name} has ${((total * freest) / 1000).toFixed(1)} GiB free of ${total.toFixed(1)} GiB.`;
  }
  const neededBytes = member.gpus === 0 ? estimate.totalBytes : member.memoryMib * 2 ** 20;
  const totalBytes = node.memoryMib * 2 ** 20;
  const freeBytes = totalBytes - held.reduce((sum, each) => sum + each.memoryMib * 2 ** 20, 0);
  return `The training needs ${inGib(neededBytes)} of ${member.gpus === 0 ? "" : "main "}memory, and ${node.name} has ${inGib(Math.max(0, freeBytes))} free of ${inGib(totalBytes)}.`;
}

const inGib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
