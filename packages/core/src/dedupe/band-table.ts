import type { Signature } from "./minhash.ts";
import { mix } from "./tokens.ts";

/**
 * One open-addressing table for all bands: hash of (band, its rows) -> the slots filed there, newest first. The
 * chains live in typed arrays, because 40 bands of a million documents would otherwise be 40 million small objects.
 */
export class BandTable<Owner> {
  readonly #bands: number;
  readonly #rows: number;
  /** Cells: the band's hash, and 1 + the first entry of its chain (0 marks a free cell). */
  #keys = new Int32Array(initialSize);
  #heads = new Int32Array(initialSize);
  #shift = 32 - Math.log2(initialSize);
  #usedCells = 0;
  /** Entries: the slot filed, and 1 + the next entry of the chain. */
  #slots = new Int32Array(initialSize);
  #next = new Int32Array(initialSize);
  #entries = 0;
  /** By slot: what was filed, while it is live, and the last look-up that reported it. */
  readonly #live: ({ signature: Signature; owner: Owner } | null)[] = [];
  #reportedIn = new Int32Array(initialSize);
  #lookUps = 0;
  #removed = 0;

  constructor(options: { bands: number; rows: number }) {
    this.#bands = options.bands;
    this.#rows = options.rows;
  }

  /** @returns the slot to remove it by. */
  insert(signature: Signature, owner: Owner): number {
    const slot = this.#live.push({ signature, owner }) - 1;
    if (slot >= this.#reportedIn.length) this.#reportedIn = enlarge(this.#reportedIn);
    this.#file(slot, signature);
    return slot;
  }

  /** The slot is never reported again; the room that its entries take is reclaimed once half of all slots are removed. */
  remove(slot: number): void {
    if (!this.#live[slot]) return;
    this.#live[slot] = null;
    this.#removed++;
    if (this.#removed > 256 && this.#removed * this.#bands * 2 > this.#entries) this.#refile();
  }

  /** The owner of every live signature that shares at least one band, once. */
  candidates(signature: Signature): Owner[] {
    const found: Owner[] = [];
    const lookUp = ++this.#lookUps;
    for (let band = 0; band < this.#bands; band++) {
      let entry = this.#heads[this.#cellOf(this.#keyOf(signature, band))] as number;
      while (entry !== 0) {
        const slot = this.#slots[entry - 1] as number;
        if (this.#reportedIn[slot] !== lookUp) {
          this.#reportedIn[slot] = lookUp;
          const filed = this.#live[slot];
          if (filed) found.push(filed.owner);
        }
        entry = this.#next[entry - 1] as number;
      }
    }
    return found;
  }

  #file(slot: number, signature: Signature): void {
    if ((this.#usedCells + this.#bands) * 2 > this.#heads.length) this.#growCells();
    if (this.#entries + this.#bands > this.#slots.length) {
      this.#slots = enlarge(this.#slots);
      this.#next = enlarge(this.#next);
    }
    for (let band = 0; band < this.#bands; band++) {
      const key = this.#keyOf(signature, band);
      const cell = this.#cellOf(key);
      const head = this.#heads[cell] as number;
      if (head === 0) {
        this.#keys[cell] = key;
        this.#usedCells++;
      }
      this.#slots[this.#entries] = slot;
      this.#next[this.#entries] = head;
      this.#heads[cell] = ++this.#entries;
    }
  }

  /** 32 bits suffice: bands that collide only make a candidate more, which the exact comparison rejects. */
  #keyOf(signature: Signature, band: number): number {
    let hash = Math.imul(band + 1, 0x9e3779b1);
    const end = (band + 1) * this.#rows;
    for (let i = band * this.#rows; i < end; i++) {
      hash = Math.imul(hash ^ (signature[i] as number), 0x85ebca6b);
      hash ^= hash >>> 15;
    }
    return mix(hash);
  }

  /** The cell that holds this key, or the free one where it belongs (linear probing). */
  #cellOf(key: number): number {
    const mask = this.#heads.length - 1;
    let cell = Math.imul(key, 0x9e3779b1) >>> this.#shift;
    while (this.#heads[cell] !== 0 && this.#keys[cell] !== key) cell = (cell + 1) & mask;
    return cell;
  }

  #growCells(): void {
    const keys = this.#keys;
    const heads = this.#heads;
    this.#keys = new Int32Array(keys.length * 2);
    this.#heads = new Int32Array(heads.length * 2);
    this.#shift--;
    for (let old = 0; old < heads.length; old++) {
      if (heads[old] === 0) continue;
      const cell = this.#cellOf(keys[old] as number);
      this.#keys[cell] = keys[old] as number;
      this.#heads[cell] = heads[old] as number;
    }
  }

  #refile(): void {
    this.#heads.fill(0);
    this.#usedCells = 0;
    this.#entries = 0;
    this.#removed = 0;
    for (const [slot, filed] of this.#live.entries()) if (filed) this.#file(slot, filed.signature);
  }
}

const initialSize = 1024;

function enlarge(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
