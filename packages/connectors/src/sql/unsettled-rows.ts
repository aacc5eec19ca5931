import { hash } from "node:crypto";
import type { Change, KnownItems } from "@anneal/core/connect/change";
import { SeenRefs } from "../seen-refs.ts";
import { compareMark } from "./row-change.ts";

/** As many are asked for by their keys; more are read with all others. */
const mostByKey = 1_000;
/** SQL Server takes 2,100 parameters, and keys of 32 columns. */
const keysPerQuery = 50;

/**
 * Rows below the watermark that are not stored with the watermark that they have. They are read again by their keys,
 * since what could not be stored is tried again in every sync. Where one has another watermark than it is stored with, a
 * clock may have gone back, and there may be more such rows than show it: everything is read, once for the same rows.
 */
export class UnsettledRows<Key> {
  private readonly keys: Key[] = [];
  private count = 0;
  /** Does not depend on the order of rows, which a query need not have. */
  private otherMarks = 0n;

  async add(ref: string, mark: string | null, key: Key, known: KnownItems): Promise<void> {
    const compared = await compareMark(ref, mark, known);
    if (compared === "same") return;
    this.count += 1;
    if (this.count <= mostByKey) this.keys.push(key);
    if (compared === "other") {
      this.otherMarks ^= hash("sha256", JSON.stringify([ref, mark]), "buffer").readBigUInt64LE();
    }
  }

  /** Which rows have another watermark than they are stored with; undefined for none. */
  get rowsWithOtherMarks(): string | undefined {
    return this.otherMarks === 0n ? undefined : this.otherMarks.toString(36);
  }

  /**
   * @param before `rowsWithOtherMarks` when everything was last read because of them, or nothing was
   * @param compare reads the rows with these keys, or all; asks `isNew` of each
   */
  async *readAgain(
    before: string | undefined,
    compare: (keys: Key[] | null, isNew: (ref: string) => boolean) => AsyncIterable<Change>,
  ): AsyncIterable<Change> {
    const others = this.rowsWithOtherMarks;
    let readsAll = this.count > mostByKey || (others !== undefined && others !== before);
    if (!readsAll) {
      const met = new SeenRefs();
      for (let at = 0; at < this.keys.length; at += keysPerQuery) {
        yield* compare(this.keys.slice(at, at + keysPerQuery), (ref) => met.add(ref));
      }
      // One went meanwhile, or does not compare as it was told.
      readsAll = met.size < this.keys.length;
    }
    if (!readsAll) return;
    const met = new SeenRefs();
    yield* compare(null, (ref) => met.add(ref));
  }
}
