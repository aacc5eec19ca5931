import type { AnnealError, ErrorReport } from "@anneal/core/errors";
import { afterEach, expect, it } from "vitest";
import { defaultLimits } from "../src/connector.ts";
import type { Kit } from "./kit.ts";
import { MemoryTarget } from "./memory-target.ts";
import type { RemoteTrouble, Trouble } from "./remote-trouble.ts";
import { createTestClock } from "./test-clock.ts";

/** How a source that is asked by HTTP is disturbed; what is left out cannot happen there. */
export type RemoteHarness = {
  /** Before everything that the connector asks the service for. */
  trouble: RemoteTrouble;
  /** The tokens that were given out are refused from now on; others are to be had. */
  expireToken?: () => void;
  /**
   * A position in a list or a feed that was given out before is refused: all of them, or the next that is shown. With this
   * status, unless the service's documentation names another.
   */
  staleCursor?: (status: StaleStatus) => void;
  /** Of requests, by method and address, those that are about the source as a whole: without one of them nothing is read. */
  aboutAll?: RegExp;
};

/** What a service answers to a position that it no longer knows; few say which. */
export type StaleStatus = 400 | 410;

const lost = "remote/lost.md";
const late = "remote/late.md";
const marker = "right where it stops";
const lateText = `This goes well until it comes to the place ${marker}, and only then to its end.`;

/**
 * A key is many lines, of which none may be told. In the key file of a service account, which is JSON, they are one text, and
 * what stands beside it is no secret.
 */
function linesOfCredential(value: unknown): string[] {
  if (typeof value !== "string") return [];
  const key = /"private_key":"([^"]*)"/u.exec(value)?.[1]?.replaceAll("\\n", "\n");
  return (key ?? value).match(/\S{4,}/gu) ?? [];
}

/** Whatever a service and the way to it do in the middle of a sync, its end is the one of an undisturbed sync. */
export function describeRemote(kit: Kit): void {
  const remote = () => {
    const harness = kit.hands().remote;
    if (harness === undefined) throw new Error('the harness has no "remote", which says how its service is disturbed');
    return harness;
  };
  // Some services outlive a test.
  afterEach(() => remote().trouble.begin(null));

  /** What an undisturbed first sync ends with, and how many requests it takes. */
  async function readUndisturbed({ trouble }: RemoteHarness) {
    trouble.begin(null);
    await kit.shareCorpus();
    const target = await kit.sync(new MemoryTarget());
    const { asked } = trouble;
    expect(asked).toBeGreaterThan(1);
    return { target, asked, held: target.held() };
  }

  /** What came of a sync that was disturbed: why it ended, and why documents failed. */
  const toldBy = (target: MemoryTarget, error: AnnealError | null): ErrorReport[] => [
    ...(error === null ? [] : [error.toReport()]),
    ...target.failures.map((failure) => failure.error),
  ];

  /**
   * Undisturbed syncs until one ends well: the first may still meet what the disturbed one left behind.
   * @returns what they read
   */
  async function settle(target: MemoryTarget): Promise<string[]> {
    remote().trouble.begin(null);
    const opened: string[] = [];
    for (let tries = 1; tries <= 3; tries += 1) {
      const error = await kit.attempt(target);
      opened.push(...target.opened);
      if (error === null && target.failures.length === 0) return opened;
      if (tries === 3) expect(toldBy(target, error)).toEqual([]);
    }
    return opened;
  }

  const openedOnce = (target: MemoryTarget) => expect(target.opened).toEqual([...new Set(target.opened)]);

  it("ends the same whichever request is told to wait, and asks no sooner than it was told", async () => {
    const harness = remote();
    const { held, asked } = await readUndisturbed(harness);
    for (let from = 0; from < asked; from += 1) {
      const clock = createTestClock();
      harness.trouble.begin({ kind: "busy", from, count: 2, waitSeconds: 20 }, clock);
      const target = await kit.sync(new MemoryTarget(), { clock });
      expect(target.failures, `refused from ${from}`).toEqual([]);
      expect(target.held(), `refused from ${from}`).toEqual(held);
      openedOnce(target);
      expect(harness.trouble.refused).toBe(2);
      expect(harness.trouble.hasty).toEqual([]);
      expect(clock.sleptMs).toBeGreaterThanOrEqual(20_000);
    }
  });

  it("hands a wait of more than a minute over, with its length, and has everything after it", async () => {
    const harness = remote();
    const { held, asked } = await readUndisturbed(harness);
    for (const from of [0, Math.floor(asked / 2), asked - 1]) {
      const clock = createTestClock();
      harness.trouble.begin({ kind: "busy", from, count: Infinity, waitSeconds: 3600 }, clock);
      const target = new MemoryTarget();
      const error = await kit.attempt(target, { clock });
      if (error === null && from === asked - 1) {
        // A website is asked last for a page that it does not have, to know how it says so; nothing hangs on that.
        expect(target.held(), `refused from ${from}`).toEqual(held);
        continue;
      }
      expect(error, `refused from ${from}`).toMatchObject({
        code: "RATE_LIMITED",
        details: { retryAfterMs: 3_600_000 },
        retryable: true,
      });
      expect(target.failures).toEqual([]);
      expect(clock.sleptMs).toBeLessThan(60_000);
      await settle(target);
      expect(target.held()).toEqual(held);
    }
  });

  it("ends the same at whichever request its token expires", async (test) => {
    const harness = remote();
    const { expireToken } = harness;
    if (expireToken === undefined) return test.skip("Its credentials do not end by themselves.");
    const { held, asked } = await readUndisturbed(harness);
    for (let at = 0; at < asked; at += 1) {
      harness.trouble.begin({ kind: "event", at, act: expireToken });
      const target = await kit.sync(new MemoryTarget());
      expect(target.failures, `expired at ${at}`).toEqual([]);
      expect(target.held(), `expired at ${at}`).toEqual(held);
      openedOnce(target);
    }
  });

  it("ends as refused, with nothing deleted, at whichever request its credentials are", async () => {
    const harness = remote();
    const { put, remove, refOf, secrets } = kit.hands();
    // An SDK adds to what it is given, and not only texts.
    const credentials = Object.values(secrets as object).flatMap(linesOfCredential);
    await put(lost, "Is removed before the credentials are refused.");
    const lostRef = refOf(lost);
    const { target: known } = await readUndisturbed(harness);
    await remove(lost);
    await put("handbook.md", "Holidays are agreed with nobody.");
    const read = await readUndisturbed(harness);
    for (let from = 0; from < read.asked; from += 1) {
      const target = known.copy();
      harness.trouble.begin({ kind: "credentials", from });
      const error = await kit.attempt(target);
      // A sync of what is known may need fewer requests.
      if (harness.trouble.refused > 0) {
        const told = toldBy(target, error);
        expect(told, `refused from ${from}`).not.toEqual([]);
        for (const { code } of told) expect(code, `refused from ${from}`).toBe("SOURCE_CREDENTIALS");
        for (const credential of credentials)
          expect(JSON.stringify(told), `refused from ${from}`).not.toContain(credential);
        const deleted = kit.changesOf(target).flatMap((change) => (change.type === "delete" ? change.ref : []));
        expect(deleted.filter((ref) => ref !== lostRef)).toEqual([]);
      }
      await settle(target);
      expect(target.held()).toEqual(read.held);
    }
  });

  it("loses and doubles nothing at whichever request a position is refused that was given before", async (test) => {
    const harness = remote();
    const { staleCursor } = harness;
    if (staleCursor === undefined)
      return test.skip("Nothing is asked for by a position that the source gave, or a test of its own has it refused.");
    const { put, remove } = kit.hands();
    await put(lost, "Is removed before the position is refused.");
    const { target: known, held, asked } = await readUndisturbed(harness);
    for (let at = 0; at < asked; at += 1) {
      harness.trouble.begin({ kind: "event", at, act: () => staleCursor(at % 2 === 0 ? 410 : 400) });
      const target = new MemoryTarget();
      const error = await kit.attempt(target);
      expect(error?.retryable ?? true, `stale at ${at}: ${error?.message}`).toBe(true);
      openedOnce(target);
      await settle(target);
      expect(target.held(), `stale at ${at}`).toEqual(held);
    }
    await remove(lost);
    for (const status of [410, 400] as const) {
      const text = `Holidays are agreed with nobody, after ${status}.`;
      await put("handbook.md", text);
      staleCursor(status);
      expect(await settle(known)).toEqual([kit.hands().refOf("handbook.md")]);
      kit.expectDocuments(known, { ...kit.corpus, "handbook.md": text });
    }
  });

  it("loses and deletes nothing whichever answer breaks off", async () => {
    const harness = remote();
    const { target: known, held, asked } = await readUndisturbed(harness);
    for (let at = 0; at < asked; at += 1) {
      for (const target of [new MemoryTarget(), known.copy()]) {
        const clock = createTestClock();
        harness.trouble.begin({ kind: "cut", at }, clock);
        const error = await kit.attempt(target, { clock });
        for (const { code } of toldBy(target, error)) expect(code, `cut at ${at}`).toBe("SOURCE_UNREACHABLE");
        expect(error?.retryable ?? true, `cut at ${at}`).toBe(true);
        expect(kit.changesOf(target).filter(({ type }) => type === "delete")).toEqual([]);
        openedOnce(target);
        await settle(target);
        expect(target.held(), `cut at ${at}`).toEqual(held);
      }
    }
  });

  for (const [how, trouble] of [
    ["breaks off", { kind: "broken", text: marker }],
    ["stands still", { kind: "stuck", text: marker }],
  ] as const satisfies readonly (readonly [string, Trouble])[]) {
    it(`gives up a transfer that ${how} each time, keeps half of nothing, and has it whole later`, async () => {
      const harness = remote();
      const { put, refOf } = kit.hands();
      const { target } = await readUndisturbed(harness);
      await put(late, lateText);
      const clock = createTestClock();
      harness.trouble.begin(trouble, clock);
      const limits = { ...defaultLimits, requestTimeoutMs: 1000 };
      const told = toldBy(target, await kit.attempt(target, { clock, limits }));
      expect(told).not.toEqual([]);
      for (const { code } of told) expect(code).toBe("SOURCE_UNREACHABLE");
      expect(target.documents.has(refOf(late))).toBe(false);
      kit.expectDocuments(target, kit.corpus);
      await settle(target);
      kit.expectDocuments(target, { ...kit.corpus, [late]: lateText });
    });
  }
}
