import { hash } from "node:crypto";
import { sql } from "drizzle-orm";
import { inWorkspace, type Scope } from "../database.ts";
import { documents } from "../schema.ts";
import { ofSource } from "./documents-of-source.ts";

/** Reading all digests costs as much as looking up a few dozen values. */
const missesBeforeReading = 32;

export type KnownValues = {
  /** False only for what no document of the source has. True also while it is not worth knowing better. */
  mayHave(value: string): Promise<boolean>;
  /** The database was asked for a value that no document has. */
  missed(): void;
  /** A document has this value from now on; to be told after it was written. */
  add(value: string): void;
};

/**
 * Which refs, or fingerprints, a source's documents have, so that most of what is new to us need not be looked up. Only
 * whoever reads the source gives it new ones; it holds for one reading.
 */
export function createKnownValues(scope: Scope, sourceId: string, column: "ref" | "fingerprint"): KnownValues {
  let misses = 0;
  let digests: DigestSet | null = null;
  let read: Promise<void> = Promise.resolve();
  return {
    async mayHave(value) {
      if (digests === null && misses < missesBeforeReading) return true;
      if (digests === null) {
        // What is written while they are read is added to them, whether or not it is among them.
        const found = (digests = new DigestSet());
        read = readDigests(scope, sourceId, column).then((bytes) => found.addAll(bytes));
      }
      await read;
      return digests.has(digestOf(value));
    },
    missed() {
      misses += 1;
    },
    add: (value) => digests?.add(digestOf(value)),
  };
}

const digestBytes = 4;

/** Of every document of the source, tombstones included: a person may take one back at any time. */
async function readDigests(scope: Scope, sourceId: string, column: "ref" | "fingerprint"): Promise<Buffer> {
  const digest = sql`substring(sha256(convert_to(${documents[column]}, 'UTF8')) for ${sql.raw(String(digestBytes))})`;
  const [row] = await inWorkspace(scope, (tx) =>
    tx
      .select({ digests: sql<Buffer | null>`string_agg(${digest}, ''::bytea)` })
      .from(documents)
      .where(ofSource(scope, sourceId)),
  );
  return row?.digests ?? Buffer.alloc(0);
}

function digestOf(value: string): number {
  return hash("sha256", value, "buffer").readUInt32LE();
}

/** 32-bit digests in an open-addressing table: 8 to 16 bytes a value, and 2 of 1,000 strangers taken for known at ten million. */
class DigestSet {
  #slots = new Uint32Array(1024);
  #size = 0;

  add(digest: number): void {
    if (this.#size * 2 >= this.#slots.length) this.#resize(this.#slots.length * 2);
    this.#insert(digest);
  }

  addAll(bytes: Buffer): void {
    let slots = this.#slots.length;
    while (slots < 2 * (this.#size + bytes.length / digestBytes)) slots *= 2;
    if (slots > this.#slots.length) this.#resize(slots);
    for (let at = 0; at < bytes.length; at += digestBytes) this.#insert(bytes.readUInt32LE(at));
  }

  has(digest: number): boolean {
    return this.#slots[this.#find(digest || 1)] !== 0;
  }

  #insert(digest: number): void {
    // Zero marks an empty slot.
    const slot = this.#find(digest || 1);
    if (this.#slots[slot] !== 0) return;
    this.#slots[slot] = digest || 1;
    this.#size += 1;
  }

  /** Where it stands, or where it would. */
  #find(digest: number): number {
    const mask = this.#slots.length - 1;
    let slot = digest & mask;
    while (this.#slots[slot] !== 0 && this.#slots[slot] !== digest) slot = (slot + 1) & mask;
    return slot;
  }

  #resize(slots: number): void {
    const before = this.#slots;
    this.#slots = new Uint32Array(slots);
    this.#size = 0;
    for (const digest of before) if (digest !== 0) this.#insert(digest);
  }
}
