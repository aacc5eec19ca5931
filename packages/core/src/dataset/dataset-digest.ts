import { canonicalJson } from "../canonical-json.ts";
import { type Sha256, sha256OfText } from "../indexing/point-id.ts";
import type { Example } from "./build-examples.ts";

export type DatasetExample = Example & { split: "train" | "eval" };

/** Messages JSONL: what the trainer reads and people download; a line ends in "\n". */
export function toMessagesJsonl(examples: readonly DatasetExample[]): string {
  return examples
    .map(({ messages, metadata, split }) => `${canonicalJson({ messages, metadata: { ...metadata, split } })}\n`)
    .join("");
}

/** A dataset's name: the SHA-256 of its messages JSONL, so that `sha256sum` of the download shows it. */
export function datasetDigest(examples: readonly DatasetExample[], sha256: Sha256 = sha256OfText): string {
  return sha256(toMessagesJsonl(examples));
}
