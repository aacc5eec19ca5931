import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Acl, nobody, workspaceUser } from "../access/acl.ts";
import { type Readers, readersFingerprint, readersPayload } from "./payload.ts";
import { planReaderPushes, type ReaderChange } from "./plan-reader-pushes.ts";

const ada = workspaceUser("w", "ada");
const bob = workspaceUser("w", "bob");
const both: Acl = { allow: [ada, bob], deny: [] };
const noBob: Acl = { allow: [ada], deny: [bob] };
const shown = (acl: Acl): Readers => ({ acl, hiddenIn: [] });
const change = (documentId: string, now: Readers, ...before: Readers[]): ReaderChange => ({
  ...now,
  documentId,
  held: [{ collectionId: "c", fingerprints: before.map(readersFingerprint) }],
});

describe("planReaderPushes", () => {
  it("tells what the index does not say yet, denials with it, and each audience once", () => {
    const pushes = planReaderPushes(
      [
        change("1", shown(both), shown(nobody)),
        change("2", shown(noBob), shown(both)),
        change("3", shown({ allow: [bob, ada], deny: [] }), shown(nobody)),
        change("4", shown(both), shown(both)),
      ],
      100,
    );
    expect(pushes).toMatchObject([
      { collectionId: "c", documentIds: ["1", "3"], payload: { acl_deny: [], hidden: false, hidden_in: [] } },
      { collectionId: "c", documentIds: ["2"], payload: readersPayload(shown(noBob)) },
    ]);
    expect(pushes[1]!.payload.acl_deny).toHaveLength(1);
  });

  it("shows a copy again whose readers are the same and which is hidden no more", () => {
    const [push] = planReaderPushes([change("1", shown(both), { acl: both, hiddenIn: ["mail"] })], 100);
    expect(push!.payload).toMatchObject({ hidden: false, hidden_in: [] });
  });

  it("leaves alone what is not indexed", () => {
    expect(planReaderPushes([{ ...shown(both), documentId: "1", held: [] }], 100)).toEqual([]);
  });

  it("leaves nothing to tell when it was carried out, whatever the points said before", () => {
    const readers = fc.record({
      acl: fc.constantFrom(nobody, both, noBob),
      hiddenIn: fc.constantFrom([], ["a"], ["a", "b"]),
    });
    const changes = fc.array(fc.tuple(readers, fc.array(readers, { maxLength: 3 })), { maxLength: 12 });
    fc.assert(
      fc.property(changes, fc.integer({ min: 1, max: 3 }), (drawn, maxDocuments) => {
        const before = drawn.map(([now, held], at) => change(String(at), now, ...held));
        const pushes = planReaderPushes(before, maxDocuments);
        const told = new Map(pushes.flatMap((push) => push.documentIds.map((id) => [id, push] as const)));
        for (const { documentIds } of pushes) expect(documentIds.length).toBeLessThanOrEqual(maxDocuments);
        for (const { documentId, acl, hiddenIn } of before)
          expect(told.get(documentId)?.payload ?? readersPayload({ acl, hiddenIn })).toEqual(
            readersPayload({ acl, hiddenIn }),
          );
        const after = before.map((each) => {
          const fingerprint = told.get(each.documentId)?.fingerprint;
          const held = each.held.map((place) => (fingerprint ? { ...place, fingerprints: [fingerprint] } : place));
          return { ...each, held };
        });
        expect(planReaderPushes(after, maxDocuments)).toEqual([]);
      }),
    );
  });
});
