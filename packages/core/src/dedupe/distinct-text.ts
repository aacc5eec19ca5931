import type { Signature } from "./minhash.ts";
import { compareOrder, type Order } from "./order.ts";
import type { Shingles } from "./shingles.ts";

export type DuplicateDecision =
  | { status: "kept" }
  | {
      status: "duplicate";
      code: "EXACT_DUPLICATE" | "NEAR_DUPLICATE";
      duplicateOf: string;
      similarity: number;
    };

export type Copy = Order & { reported: DuplicateDecision | null };

/** One distinct text and the documents that hold it, earliest first. */
export type DistinctText = {
  contentHash: string;
  copies: Copy[];
  signature: Signature | null;
  /** null: to be had from `loadText`. */
  shingles: Shingles | null;
  state:
    | { status: "undecided" }
    | { status: "kept"; slot: number | null; dependants: Set<DistinctText> }
    | { status: "excluded"; slot: number | null; keeper: DistinctText; similarity: number };
};

export function orderOf(text: DistinctText): Order {
  const first = text.copies[0];
  if (!first) throw new Error("A text without documents is not in the index.");
  return first;
}

export function precedes(left: DistinctText, right: DistinctText): boolean {
  return compareOrder(orderOf(left), orderOf(right)) < 0;
}

export function decide(text: DistinctText, id: string): DuplicateDecision {
  if (text.state.status === "excluded") {
    const { keeper, similarity } = text.state;
    return {
      status: "duplicate",
      code: "NEAR_DUPLICATE",
      duplicateOf: orderOf(keeper).id,
      similarity,
    };
  }
  const first = orderOf(text).id;
  if (first === id) return { status: "kept" };
  return { status: "duplicate", code: "EXACT_DUPLICATE", duplicateOf: first, similarity: 1 };
}

export function sameDecision(left: DuplicateDecision | null, right: DuplicateDecision): boolean {
  if (left?.status !== "duplicate" || right.status !== "duplicate") return left?.status === right.status;
  return left.code === right.code && left.duplicateOf === right.duplicateOf && left.similarity === right.similarity;
}
