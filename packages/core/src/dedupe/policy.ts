import { z } from "zod";

/** What counts as a duplicate; stored per workspace. A change of any field but `threshold` needs new signatures. */
export const dedupePolicySchema = z.object({
  /** Exact Jaccard similarity of the shingle sets from which two texts are near-duplicates. */
  threshold: z.number().min(0.3).max(1).default(0.8),
  /** Words in a shingle (characters, in scripts written without spaces). */
  shingleWords: z.number().int().min(1).max(20).default(5),
  /** null: chosen for the threshold by `planBands`. */
  lsh: z
    .object({ bands: z.number().int().min(1).max(512), rows: z.number().int().min(1).max(32) })
    .nullable()
    .default(null),
  /** Any 32-bit number. One drawn per installation keeps the writers of documents from predicting hashes. */
  seed: z.number().int().min(-0x8000_0000).max(0x7fff_ffff).default(0x5eed),
  /** Passages shorter than this many words are left alone: "Yes." is nobody's boilerplate. */
  passageMinWords: z.number().int().min(1).default(20),
});
export type DedupePolicy = z.infer<typeof dedupePolicySchema>;

export const defaultDedupePolicy: DedupePolicy = dedupePolicySchema.parse({});
