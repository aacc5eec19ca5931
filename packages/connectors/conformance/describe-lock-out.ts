import type { AnnealError } from "@anneal/core/errors";
import { afterEach, expect, it } from "vitest";
import type { Kit } from "./kit.ts";
import { MemoryTarget } from "./memory-target.ts";

/** Of what the server sends in an undisturbed sync; the last of that is a farewell that nobody waits for. */
const places = [0.1, 0.3, 0.5, 0.7];
/** How often a sync that may be tried again begins, as its workflow has it. */
const maxAttempts = 4;
const lost = "guides/lost.md";

/** An account that loses its right to sign in while it is read, and its connection with it, costs a sync and no document. */
export function describeLockOut(kit: Kit): void {
  // Some relays outlive a test.
  afterEach(() => kit.hands().relay?.begin(null));

  /** As the workflow does it: begun anew while that may help. @returns why it ended, and all that was told meanwhile */
  async function syncTillItEnds(target: MemoryTarget) {
    const told: AnnealError[] = [];
    const deleted: string[] = [];
    const failures: MemoryTarget["failures"] = [];
    for (;;) {
      const error = await kit.attempt(target);
      failures.push(...target.failures);
      deleted.push(...kit.changesOf(target).flatMap((change) => (change.type === "delete" ? change.ref : [])));
      if (error !== null) told.push(error);
      if (error?.retryable !== true || told.length === maxAttempts) return { error, told, failures, deleted };
    }
  }

  it("ends as refused wherever its account is locked out and cut off, deletes nothing, and goes on once it is let in", async () => {
    const { relay, lockOuts, secrets, put, remove, refOf } = kit.hands();
    if (relay === undefined) throw new Error('the harness has no "relay" before its server');
    if (lockOuts === undefined) throw new Error('the harness has no "lockOuts", which say how its account is refused');
    const readUndisturbed = async (from: MemoryTarget) => {
      relay.begin(null);
      const target = await kit.sync(from.copy());
      return { from, target, held: target.held(), bytes: relay.sentByServer() };
    };
    await kit.shareCorpus();
    await put(lost, "Is removed before the account is locked out.");
    const lostRef = refOf(lost);
    const { target: known, held } = await readUndisturbed(new MemoryTarget());
    await remove(lost);
    await put("handbook.md", "Holidays are agreed with nobody.");
    const first = await readUndisturbed(new MemoryTarget());
    const later = await readUndisturbed(known);
    const changed = first.held;
    expect(later.held).toEqual(changed);
    const credentials = Object.values(secrets as Record<string, string>);
    const ways = Object.entries(lockOuts);
    for (const [index, place] of places.entries()) {
      for (const [turn, { from, bytes }] of [first, later].entries()) {
        // Each way at some places of both.
        const [how, lockOut] = ways[(index + turn) % ways.length]!;
        const where = `refused because ${how}, after ${place} of a ${turn === 0 ? "first" : "later"} sync`;
        const target = from.copy();
        const letIn: (() => Promise<void>)[] = [];
        const act = async () => void letIn.push(await lockOut());
        relay.begin({ afterBytes: Math.floor(bytes * place), by: "ending", act });
        const { error, told, failures, deleted } = await syncTillItEnds(target).finally(async () => {
          for (const again of letIn) await again();
        });
        expect(relay.hasSpoilt(), where).toBe(true);
        expect(error?.code, where).toBe("SOURCE_CREDENTIALS");
        // At first it only broke off; nobody has asked to sign in yet.
        for (const { code } of [...told, ...failures.map((failure) => failure.error)]) {
          expect(["SOURCE_UNREACHABLE", "SOURCE_CREDENTIALS"], where).toContain(code);
        }
        const said = JSON.stringify([told.map((one) => one.toReport()), failures]);
        for (const credential of credentials) expect(said, where).not.toContain(credential);
        expect(deleted.filter((ref) => ref !== lostRef)).toEqual([]);
        const reached = Object.entries(target.held());
        for (const [ref, document] of reached) expect([held[ref], changed[ref]], where).toContainEqual(document);
        const stored = reached.flatMap(([ref, { text }]) => (changed[ref]?.text === text ? ref : []));
        relay.begin(null);
        await kit.sync(target);
        expect(target.failures, where).toEqual([]);
        expect(target.held(), where).toEqual(changed);
        expect(target.opened.filter((ref) => stored.includes(ref))).toEqual([]);
      }
    }
  });
}
