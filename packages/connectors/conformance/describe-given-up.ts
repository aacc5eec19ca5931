import { afterEach, expect, it } from "vitest";
import type { Kit } from "./kit.ts";
import { MemoryTarget } from "./memory-target.ts";
import { createTestClock } from "./test-clock.ts";

const lost = "remote/lost.md";

/** What a gateway gives up on each time it is asked for is one document's or folder's failure, and costs no other. */
export function describeGivenUp(kit: Kit): void {
  const remote = () => kit.hands().remote!;
  // Some services outlive a test.
  afterEach(() => remote().trouble.begin(null));

  /** @returns why the sync ended; a content that is refused without a reason is waited for once, and what fails then is told */
  async function attempt(target: MemoryTarget, on: string | { from: number }) {
    const clock = createTestClock();
    remote().trouble.begin({ kind: "given up", on }, clock);
    const error = await kit.attempt(target, { clock });
    return error?.code === "RATE_LIMITED" ? kit.attempt(target, { clock }) : error;
  }

  it("reads the rest and deletes nothing that is there, whichever request about one document or folder is given up on", async () => {
    const { put, remove, refOf } = kit.hands();
    const { trouble, aboutAll } = remote();
    const readUndisturbed = async (from: MemoryTarget) => {
      trouble.begin(null);
      const target = await kit.sync(from.copy());
      return { from, contents: target.contents(), target, places: trouble.places };
    };
    await put(lost, "Is removed before a request is given up on.");
    const lostRef = refOf(lost);
    const { target: known } = await readUndisturbed(new MemoryTarget());
    await remove(lost);
    await put("handbook.md", "Holidays are agreed with nobody.");
    const first = await readUndisturbed(new MemoryTarget());
    const later = await readUndisturbed(known);
    const changed = first.contents;
    for (const { from, places } of [first, later]) {
      for (const on of places) {
        const target = from.copy();
        const error = await attempt(target, on);
        if (aboutAll?.test(on) !== true) {
          expect(error, on).toBeNull();
          const failed = target.failures.map(({ ref }) => ref);
          for (const { error: report } of target.failures) expect(report.code, on).not.toBe("RATE_LIMITED");
          const isFailure = (ref: string) =>
            failed.some((one) => one === ref || (one.endsWith("/") && ref.startsWith(one))) ||
            // Not every ref tells the folder that it lies in, of which there is no news then.
            (failed.some((one) => one.endsWith("/")) && target.contents()[ref] === from.contents()[ref]);
          for (const [ref, text] of Object.entries(changed)) {
            if (!isFailure(ref)) expect(target.contents()[ref], `${ref} without ${on}`).toBe(text);
          }
        }
        const deleted = kit.changesOf(target).flatMap((change) => (change.type === "delete" ? change.ref : []));
        expect(
          deleted.filter((ref) => ref !== lostRef),
          on,
        ).toEqual([]);
        for (const ref of Object.keys(from.contents()))
          if (ref !== lostRef) expect(target.documents.has(ref), on).toBe(true);
        trouble.begin(null);
        await kit.sync(target);
        expect(target.contents(), on).toEqual(changed);
      }
    }
  });

  it("ends where a gateway gives up on everything, and deletes nothing", async () => {
    const { trouble } = remote();
    trouble.begin(null);
    const contents = (await kit.sync(new MemoryTarget())).contents();
    const { asked } = trouble;
    for (const from of [0, Math.floor(asked / 2)]) {
      const target = new MemoryTarget();
      const error = await attempt(target, { from });
      // A crawl that has begun tells of each page that it does not get.
      expect(error?.retryable ?? target.failures.length > 0, `from ${from}`).toBe(true);
      if (from === 0) expect(error).not.toBeNull();
      expect(kit.changesOf(target).filter(({ type }) => type === "delete")).toEqual([]);
      trouble.begin(null);
      await kit.sync(target);
      expect(target.contents(), `from ${from}`).toEqual(contents);
    }
  });
}
