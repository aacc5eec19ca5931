import { afterEach, expect, it } from "vitest";
import { defaultLimits } from "../src/connector.ts";
import type { Kit } from "./kit.ts";
import { MemoryTarget } from "./memory-target.ts";

/** Of what the server sends in an undisturbed sync; the last of that is a farewell that nobody waits for. */
const places = [0, 0.1, 0.3, 0.5, 0.7];

/** A connection that ends, or over which nothing comes any more, costs a sync and no document. */
export function describeConnection(kit: Kit): void {
  // Some relays outlive a test.
  afterEach(() => kit.hands().relay?.begin(null));

  for (const [how, by] of [
    ["breaks", "ending"],
    ["stands still", "standing still"],
  ] as const) {
    it(`loses, doubles and deletes nothing wherever its connection ${how}`, async () => {
      const { relay, put, remove, stallTimeoutMs = 1000 } = kit.hands();
      if (relay === undefined) throw new Error('the harness has no "relay" before its server');
      const limits = by === "ending" ? defaultLimits : { ...defaultLimits, requestTimeoutMs: stallTimeoutMs };
      /** What an undisturbed sync ends with, and how much the server sends in it. */
      const readUndisturbed = async (from: MemoryTarget) => {
        relay.begin(null);
        const target = await kit.sync(from.copy());
        return { from, target, held: target.held(), bytes: relay.sentByServer() };
      };
      await kit.shareCorpus();
      const { target: known, held } = await readUndisturbed(new MemoryTarget());
      await put("handbook.md", "Holidays are agreed with nobody.");
      await remove("guides/clean.md");
      const first = await readUndisturbed(new MemoryTarget());
      const later = await readUndisturbed(known);
      const changed = first.held;
      expect(later.held).toEqual(changed);
      for (const place of by === "ending" ? places : [0.5]) {
        for (const { from, bytes } of [first, later]) {
          const target = from.copy();
          relay.begin({ afterBytes: Math.floor(bytes * place), by });
          const error = await kit.attempt(target, { limits });
          // Who waits for little may have given up before.
          if (by === "ending") expect(relay.hasSpoilt(), `after ${place}`).toBe(true);
          const told = [...(error === null ? [] : [error.toReport()]), ...target.failures.map((one) => one.error)];
          for (const { code, message } of told) expect([code, message]).toEqual(["SOURCE_UNREACHABLE", message]);
          expect(error?.retryable ?? true, `after ${place}: ${error?.message}`).toBe(true);
          for (const [ref, document] of Object.entries(target.held())) {
            expect([held[ref], changed[ref]], `after ${place}`).toContainEqual(document);
          }
          relay.begin(null);
          await kit.sync(target);
          expect(target.failures).toEqual([]);
          expect(target.held(), `after ${place}`).toEqual(changed);
        }
      }
    });
  }
}
