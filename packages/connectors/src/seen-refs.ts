import { hash } from "node:crypto";

/**
 * The refs met in one enumeration, as 64-bit digests in an open-addressing table: about 16 bytes a ref, so that ten
 * million refs fit where a Set of strings would not. Two refs with one digest (chance n^2/2^65, 3e-6 at ten million)
 * can only keep a document that should go; none is ever deleted by it.
 */
export class SeenRefs {
  #slots = new BigUint64Array(1024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns false when the ref was there already */
  add(ref: string): boolean {
    if (this.#size * 2 >= this.#slots.length) this.#grow();
    if (!insert(this.#slots, digestOf(ref))) return false;
    this.#size += 1;
    return true;
  }

  has(ref: string): boolean {
    const digest = digestOf(ref);
    return this.#slots[findSlot(this.#slots, digest)] === digest;
  }

  #grow(): void {
    const larger = new BigUint64Array(this.#slots.length * 2);
    for (const digest of this.#slots) if (digest !== 0n) insert(larger, digest);
    this.#slots = larger;
  }
}

function digestOf(ref: string): bigint {
  // Zero marks an empty slot.
  return hash("sha256", ref, "buffer").readBigUInt64LE() || 1n;
}

function findSlot(slots: BigUint64Array, digest: bigint): number {
  const mask = slots.length - 1;
  let slot = Number(digest & BigInt(mask));
  while (slots[slot] !== 0n && slots[slot] !== digest) slot = (slot + 1) & mask;
  return slot;
}

function insert(slots: BigUint64Array, digest: bigint): boolean {
  const slot = findSlot(slots, digest);
  if (slots[slot] === digest) return false;
  slots[slot] = digest;
  return true;
}
