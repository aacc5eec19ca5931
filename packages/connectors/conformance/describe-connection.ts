import { expect, it } from "vitest";
import { defaultLimits } from "../src/connector.ts";
import type { Kit } from "./kit.ts";
import { MemoryTarget } from "./memory-target.ts";

/** Of what the server sends in an undisturbed sync. */
const places = [0, 0.1, 0.3, 0.5, 0.7, 0.9];

/** A connection that ends, or over which nothing comes any more, costs a sync and no document. */
export function describeConnection(kit: Kit): void {
  for (const [how, by] of [
    ["breaks", "ending"],
    ["stands still", "standing still"],
  ] as const) {
    it(`loses, doubles and deletes nothing wherever its connection ${how}`, async () => {
      const { relay, put, remove, stallTimeoutMs = 1000 } = kit.hands();
      if (relay === undefined) throw new Error('the harness has no "relay" before its server');
      const limits = by === "ending" ? defaultLimits : { ...defaultLimits, requestTimeoutMs: stallTimeoutMs };
      relay.begin(null);
      const known = await kit.sync(new MemoryTarget());
      const sentBytes = relay.sentByServer();
      const contents = known.contents();
      await put("handbook.md", "Holidays are agreed with nobody.");
      await remove("guides/clean.md");
      relay.begin(null);
      const changed = (await kit.sync(known.copy())).contents();
      const changedBytes = relay.sentByServer();
      for (const place of by === "ending" ? places : [0.5]) {
        for (const [from, bytes] of [
          [new MemoryTarget(), sentBytes],
          [known, changedBytes],
        ] as const) {
          const target = from.copy();
          relay.begin({ afterBytes: Math.floor(bytes * place), by });
          const error = await kit.attempt(target, { limits });
          // Who waits for little may have given up before, and no two syncs take just as many bytes.
          if (by === "ending" && place < 0.8) expect(relay.hasSpoilt(), `after ${place}`).toBe(true);
          const told = [...(error === null ? [] : [error.toReport()]), ...target.failures.map((one) => one.error)];
          for (const { code, message } of told) expect([code, message]).toEqual(["SOURCE_UNREACHABLE", message]);
          expect(error?.retryable ?? true, `after ${place}: ${error?.message}`).toBe(true);
          for (const [ref, text] of Object.entries(target.contents())) {
            expect([contents[ref], changed[ref]], `after ${place}`).toContain(text);
          }
          relay.begin(null);
          await kit.sync(target);
          expect(target.failures).toEqual([]);
          expect(target.contents(), `after ${place}`).toEqual(changed);
        }
      }
    });
  }
}
