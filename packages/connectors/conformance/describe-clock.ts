import { expect, it } from "vitest";
import type { Kit } from "./kit.ts";
import { MemoryTarget } from "./memory-target.ts";

const hourMs = 3_600_000;
const noClock = "The source has no clock that a connector sees, or none that can be set.";

/** The source's clock decides nothing: neither its distance from ours, nor that it goes back. */
export function describeClock(kit: Kit): void {
  const { corpus } = kit;
  const refsOf = (...names: string[]) => names.map((name) => kit.hands().refOf(name)).sort();

  for (const [where, hours] of [
    ["ahead of", 7],
    ["behind", -7],
  ] as const) {
    it(`loses and doubles nothing where the source's clock is hours ${where} ours`, async (test) => {
      const { setClock, put, remove } = kit.hands();
      if (setClock === undefined) return test.skip(noClock);
      await setClock(hours * hourMs);
      await put("clock/changed.md", "Written by that clock.");
      await put("clock/removed.md", "Written by that clock, to be removed.");
      const target = await kit.sync(new MemoryTarget());
      const { "handbook.md": _handbook, ...rest } = corpus;
      await kit.sync(target);
      expect(kit.changesOf(target)).toEqual([]);

      await put("clock/changed.md", "Written by that clock a second time.");
      await put("clock/new.md", "New by that clock.");
      await put("handbook.md", "What was written by our clock is changed by that one.");
      await remove("clock/removed.md");
      await kit.sync(target);
      kit.expectDocuments(target, {
        ...rest,
        "handbook.md": "What was written by our clock is changed by that one.",
        "clock/changed.md": "Written by that clock a second time.",
        "clock/new.md": "New by that clock.",
      });
      expect(target.opened.sort()).toEqual(refsOf("clock/changed.md", "clock/new.md", "handbook.md"));
    });
  }

  it("loses and doubles nothing where the source's clock goes back between two syncs, and forward again", async (test) => {
    const { setClock, put, remove } = kit.hands();
    if (setClock === undefined) return test.skip(noClock);
    await setClock(5 * hourMs);
    await put("clock/changed.md", "Written five hours from now.");
    await put("clock/kept.md", "Stays as it is.");
    await put("clock/removed.md", "Is removed.");
    const target = await kit.sync(new MemoryTarget());

    await setClock(-2 * hourMs);
    await put("clock/changed.md", "Written anew, and yet earlier.");
    await put("clock/new.md", "New, and yet older than what was read.");
    await remove("clock/removed.md");
    await kit.sync(target);
    const after = { ...corpus, "clock/kept.md": "Stays as it is.", "clock/new.md": "New, and yet older than" };
    kit.expectDocuments(target, { ...after, "clock/changed.md": "Written anew, and yet earlier." });
    expect(target.opened.sort()).toEqual(refsOf("clock/changed.md", "clock/new.md"));
    await kit.sync(target);
    expect(kit.changesOf(target)).toEqual([]);

    await setClock(0);
    await put("clock/changed.md", "Written a third time, by a clock that is right.");
    await kit.sync(target);
    kit.expectDocuments(target, { ...after, "clock/changed.md": "Written a third time, by a clock that is right." });
    expect(target.opened).toEqual(refsOf("clock/changed.md"));
  });
}
