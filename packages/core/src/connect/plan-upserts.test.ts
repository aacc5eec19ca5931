import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planUpserts, type StoredDocument, type UpsertChange } from "./plan-upserts.ts";

const at = new Date(0);
const document = (id: string, contentHash: string, change: Partial<StoredDocument> = {}): StoredDocument => ({
  id,
  contentHash,
  indexedHash: contentHash,
  deletedAt: null,
  restoredAt: null,
  ...change,
});
const upsert = (ref: string, contentHash: string) => ({ ref, contentHash });

describe("planUpserts", () => {
  it("tells new, changed and unchanged documents apart by their bytes", () => {
    const stored = new Map([
      ["same", document("1", "a")],
      ["other", document("2", "a")],
    ]);
    expect(planUpserts(stored, [upsert("new", "a"), upsert("same", "a"), upsert("other", "b")])).toEqual({
      changes: ["added", "unchanged", "changed"],
      rows: [
        { index: 0, storedId: null, restarts: true, withdraws: false },
        { index: 1, storedId: "1", restarts: false, withdraws: false },
        { index: 2, storedId: "2", restarts: true, withdraws: false },
      ],
    });
  });

  it("takes what was deleted, and what a person kept, for added, though its bytes are the same", () => {
    const stored = new Map([
      ["deleted", document("1", "a", { deletedAt: at })],
      ["kept", document("2", "a", { restoredAt: at })],
    ]);
    const { changes, rows } = planUpserts(stored, [upsert("deleted", "a"), upsert("kept", "a")]);
    expect(changes).toEqual(["added", "added"]);
    expect(rows.map(({ restarts }) => restarts)).toEqual([true, true]);
  });

  it("withdraws what was made of what was deleted, unless all of it is of the content that comes back", () => {
    const withdraws = (contentHash: string, change: Partial<StoredDocument>) =>
      planUpserts(new Map([["a", document("1", "a", change)]]), [upsert("a", contentHash)]).rows[0]!.withdraws;
    expect([withdraws("a", { deletedAt: at }), withdraws("b", { deletedAt: at })]).toEqual([false, true]);
    const halfway = { deletedAt: at, indexedHash: "b" };
    expect([withdraws("a", halfway), withdraws("b", halfway)]).toEqual([true, true]);
    // What a person kept was there all the time: it is changed as any other.
    expect(withdraws("b", { restoredAt: at })).toBe(false);
  });

  it("lets the last of several upserts of a document count, and forgets nothing of those before it", () => {
    const stored = new Map([["there", document("1", "a")]]);
    const { changes, rows } = planUpserts(stored, [
      upsert("new", "x"),
      upsert("there", "b"),
      upsert("new", "x"),
      upsert("there", "a"),
    ]);
    expect(changes).toEqual(["added", "changed", "unchanged", "changed"]);
    expect(rows).toEqual([
      { index: 2, storedId: null, restarts: true, withdraws: false },
      { index: 3, storedId: "1", restarts: true, withdraws: false },
    ]);
  });

  it("says of any batch what the same upserts say one after the other", () => {
    const ref = fc.constantFrom("p", "q", "r");
    const hash = fc.constantFrom("a", "b");
    const when = fc.option(fc.constant(at));
    const indexed = fc.option(hash);
    const entry = fc.record({ contentHash: hash, indexedHash: indexed, deletedAt: when, restoredAt: when });
    fc.assert(
      fc.property(
        fc.dictionary(ref, entry),
        fc.array(fc.record({ ref, contentHash: hash }), { maxLength: 8 }),
        (documents, upserts) => {
          const stored = new Map(
            Object.entries(documents).map(([name, { contentHash, ...facts }]) => [
              name,
              document(name, contentHash, facts),
            ]),
          );
          const plan = planUpserts(stored, upserts);
          const state = new Map(stored);
          const restarted = new Set<string>();
          const withdrawn = new Set<string>();
          const oneByOne = upserts.map((one): UpsertChange => {
            const single = planUpserts(state, [one]);
            if (single.rows[0]!.restarts) restarted.add(one.ref);
            if (single.rows[0]!.withdraws) withdrawn.add(one.ref);
            state.set(one.ref, document(one.ref, one.contentHash));
            return single.changes[0]!;
          });
          expect(plan.changes).toEqual(oneByOne);
          for (const { index, storedId, restarts, withdraws } of plan.rows) {
            const last = upserts[index]!;
            expect(state.get(last.ref)!.contentHash).toBe(last.contentHash);
            expect(storedId).toBe(stored.has(last.ref) ? last.ref : null);
            expect(restarts).toBe(restarted.has(last.ref));
            expect(withdraws).toBe(withdrawn.has(last.ref));
          }
          expect(plan.rows).toHaveLength(new Set(upserts.map((one) => one.ref)).size);
        },
      ),
    );
  });
});
