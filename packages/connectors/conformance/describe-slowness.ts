import { afterEach, expect, it } from "vitest";
import { defaultLimits } from "../src/connector.ts";
import { drippingMs } from "./drip.ts";
import type { Kit } from "./kit.ts";
import { MemoryTarget } from "./memory-target.ts";
import { createTestClock } from "./test-clock.ts";

const slow = "remote/slow.md";
const marker = "piece by piece";
const line = `This comes ${marker}.`;
/** Longer than all else that is sent: what is in the middle of a sync's bytes is in the middle of it. */
const lines = Array.from({ length: 1500 }, (_, number) => `${number}. ${line}`).join("\n");
/** Shorter than all of what drips, and longer than it is ever silent. */
const limits = { ...defaultLimits, requestTimeoutMs: drippingMs - 100 };

/** A transfer takes as long as it takes: only silence is too long, and that is what a request's timeout is about. */
export function describeSlowness(kit: Kit): void {
  // Some services and relays outlive a test.
  afterEach(() => {
    kit.hands().remote?.trouble.begin(null);
    kit.hands().relay?.begin(null);
  });

  it("reads whole what comes slowly but steadily, for longer than a request may be silent", async () => {
    const { remote, relay, put } = kit.hands();
    await put(slow, relay === undefined ? line : lines);
    remote?.trouble.begin(null);
    relay?.begin(null);
    const undisturbed = (await kit.sync(new MemoryTarget())).held();
    const readSlowly = async () => {
      const target = new MemoryTarget();
      const error = await kit.attempt(target, { clock: createTestClock(), limits });
      expect([error?.toReport(), ...target.failures]).toEqual([undefined]);
      expect(target.held()).toEqual(undisturbed);
      expect(target.opened).toEqual([...new Set(target.opened)]);
    };
    if (remote !== undefined) {
      const { trouble } = remote;
      trouble.begin({ kind: "slow", at: [0, Math.floor(trouble.asked / 2)], text: marker });
      await readSlowly();
      expect(trouble.slowed).toBeGreaterThan(1);
    }
    if (relay !== undefined) {
      relay.begin({ afterBytes: Math.floor(relay.sentByServer() / 2), by: "dripping" });
      await readSlowly();
      expect(relay.hasSpoilt()).toBe(true);
    }
  });
}
