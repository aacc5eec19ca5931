export type SlackCalibration = {
  /** Slack of very short sequences, as a multiple of what the logits take. */
  atZeroLength: number;
  /** The length, in tokens, at which half of that is left. */
  halvedAtLength: number;
};

/** Fitted on the ten LoRA rows of batch 1 and five lengths that ms-swift published for qwen-1_8b-chat and qwen-7b-chat. */
export const slackCalibration: SlackCalibration = { atZeroLength: 3.1, halvedAtLength: 4000 };

/** Blocks of a few equal sizes are found again: rounding and split remainders are lost, as a replay of them showed. */
export const fixedLengthSlack = 0.08;

/**
 * Memory that torch's caching allocator has reserved and cannot use. A block is taken again only for a request that fits
 * into it, so each batch longer than all before it reserves new blocks for its logits, by far the largest tensors, while
 * those of earlier records stay (torch, CUDACachingAllocator: best fit, nothing is moved). Replaying the allocations of a
 * pass through that algorithm with random lengths shows, for models from 1.8B to 72B, slack in proportion to the logits
 * and independent of the layers, whose smaller tensors find room in it.
 *
 * The proportion falls with the length: the further below the typical example `maxLength` cuts, the more batches nearly
 * reach it, and the more records there are.
 *
 * @param logitsBytes What logits and their gradients take at their peak.
 * @param maxLength In tokens.
 */
export function estimateAllocatorSlack(
  logitsBytes: number,
  maxLength: number,
  { atZeroLength, halvedAtLength }: SlackCalibration = slackCalibration,
): number {
  return (logitsBytes * atZeroLength) / (1 + maxLength / halvedAtLength);
}
