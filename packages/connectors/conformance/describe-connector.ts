import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Change } from "@anneal/core/connect/change";
import { defaultDeletionPolicy, type DeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { isAnnealError } from "@anneal/core/errors";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultLimits, type ConnectContext, type Connector } from "../src/connector.ts";
import { reportOf } from "../src/failure.ts";
import { describeCheckpoints } from "./describe-checkpoints.ts";
import { describeClock } from "./describe-clock.ts";
import { describeConnection } from "./describe-connection.ts";
import { describeCounting } from "./describe-counting.ts";
import { describeFirstSync } from "./describe-first-sync.ts";
import { describeGivenUp } from "./describe-given-up.ts";
import { describeLockOut } from "./describe-lock-out.ts";
import { describeNames, type SourceNames } from "./describe-names.ts";
import type { Who } from "./describe-permissions.ts";
import { describeRemote, type RemoteHarness } from "./describe-remote.ts";
import { describeSlowness } from "./describe-slowness.ts";
import type { Kit } from "./kit.ts";
import { MemoryTarget } from "./memory-target.ts";
import type { Relay } from "./start-relay.ts";
import { deletionsPass, testContext } from "./test-context.ts";

/**
 * What a connector's own test gives to the kit: a fresh, empty source, and hands to change it with. `name` is a short
 * path such as "guides/reset.md"; `refOf` says which ref the connector must give that document.
 */
export type ConformanceHarness<Config, Secrets> = {
  connector: Connector<Config, Secrets>;
  config: Config;
  secrets: Secrets;
  refOf(name: string): string;
  /** Creates or replaces; the text must be found in the document's content. */
  put(name: string, text: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Takes back what was removed last under this name, out of the source's bin. Left out where there is none. */
  restore?(name: string): Promise<void>;
  move(from: string, to: string): Promise<void>;
  /** Replaces everything that the document itself and its parents grant; left out where the source has no permissions. */
  share?(name: string, allow: readonly Who[], deny?: readonly Who[]): Promise<void>;
  /** Left out where the source has no folders, or none that can be moved: as `move`, for a folder with all that is in it. */
  moveFolder?(from: string, to: string): Promise<void>;
  /**
   * Adds so many drives, channels, mailboxes or tables with a document in each. Left out where the position has nothing for
   * each part of the source, or has what another harness of the kind shows.
   */
  addParts?(count: number): Promise<void>;
  /** Makes reading this one document fail, as by a text above the limit of 1 MiB; returns how to heal it. */
  breakItem(name: string): Promise<() => Promise<void>>;
  /** Takes the whole source away; returns how to bring it back. */
  vanish(): Promise<() => Promise<void>>;
  /**
   * Sets the source's clock so far ahead of ours, or behind it when negative, for whatever is written from now on. Left
   * out where the source has no clock that a connector could see, or none that can be set.
   */
  setClock?(aheadMs: number): Promise<void>;
  names?: SourceNames;
  /** How a service that is asked by HTTP is disturbed. */
  remote?: RemoteHarness;
  /** What every connection to a source goes through whose protocol is not HTTP. */
  relay?: Relay;
  /**
   * How the account loses its right to sign in, in words that go on from "refused because": each returns how to let it in
   * again. With `relay` only; connections that are open are ended by that.
   */
  lockOuts?: Record<string, () => Promise<() => Promise<void>>>;
  /** `requestTimeoutMs` of a sync whose connection stands still; left out: 1000. */
  stallTimeoutMs?: number;
  close(): Promise<void>;
};

const corpus: Record<string, string> = {
  "handbook.md": "Holidays are agreed with the team first.",
  "guides/reset.md": "Hold the button for ten seconds to reset the pump.",
  "guides/clean.md": "Rinse the filter under cold water.",
  "guides/deep/er/limits.md": "The valve opens at 4.5 bar.",
  "unicode/größe-日本語 & 50% #1.md": "Grüße aus dem Lager 🚚.",
};

/** How a source is reached, which says what may happen on the way and what the harness needs to let it happen. */
type Way =
  /** `remote` */
  | "http"
  /** `relay` */
  | "connection"
  /** Nothing lies between. */
  | null;

/** @param name begins with the connector's kind, by which the registry's test finds that each kind is here */
export function describeConnector<Config, Secrets>(
  name: string,
  createHarness: () => Promise<ConformanceHarness<Config, Secrets>>,
  way: Way = null,
): void {
  describe(`${name} keeps the connector contract`, () => {
    let harness: ConformanceHarness<Config, Secrets>;
    let tempDir: string;

    beforeEach(async () => {
      tempDir = await mkdtemp(join(tmpdir(), "anneal-conformance-"));
      harness = await createHarness();
      for (const [path, text] of Object.entries(corpus)) await harness.put(path, text);
    });
    afterEach(async () => {
      await harness.close();
      await rm(tempDir, { recursive: true, force: true });
    });

    const contextOf = (deletions: DeletionPolicy = deletionsPass) =>
      testContext({
        tempDir,
        limits: { documentBytes: 1024 * 1024, requestTimeoutMs: 10_000 },
        deletions,
      });
    const readIn = (target: MemoryTarget, context: ConnectContext): AsyncIterable<Change> =>
      harness.connector.read({
        config: harness.config,
        secrets: harness.secrets,
        cursor: target.cursor,
        journal: target.journal(),
        known: target.known(),
        context,
      });
    const read = (target: MemoryTarget, deletions?: DeletionPolicy) => readIn(target, contextOf(deletions));
    const sync = async (target: MemoryTarget, deletions?: DeletionPolicy) => {
      await target.apply(read(target, deletions));
      return target;
    };
    const changesOf = (target: MemoryTarget) => target.changes.filter((change) => change.type !== "checkpoint");
    const textOf = (target: MemoryTarget, path: string) => target.documents.get(harness.refOf(path))?.text;
    const expectCorpus = (target: MemoryTarget, expected: Record<string, string>) => {
      expect([...target.documents.keys()].sort()).toEqual(Object.keys(expected).map(harness.refOf).sort());
      for (const [path, text] of Object.entries(expected)) expect(textOf(target, path)).toContain(text);
    };

    it("says in check() that the source can be synced", async () => {
      expect(name.startsWith(harness.connector.kind)).toBe(true);
      const result = await harness.connector.check(harness.config, harness.secrets, contextOf());
      expect(result.error).toBeNull();
      expect(result.checks.map(({ capability }) => capability)).toContain("changes");
    });

    it("reads everything in the first run, names and text in any script, and ends at a checkpoint", async () => {
      const target = await sync(new MemoryTarget());
      expectCorpus(target, corpus);
      expect(target.failures).toEqual([]);
      expect(target.changes.at(-1)?.type).toBe("checkpoint");
    });

    it("gives fingerprints, cursors and journal entries that a database row can hold", async () => {
      const target = await sync(new MemoryTarget());
      for (const { item } of target.documents.values()) expect(item.fingerprint.length).toBeLessThanOrEqual(2000);
      for (const change of target.changes) {
        if (change.type !== "checkpoint") continue;
        expect(typeof change.cursor.version).toBe("number");
        for (const json of [change.cursor, ...(change.journal?.entries ?? [])]) {
          expect(JSON.parse(JSON.stringify(json))).toEqual(json);
          expect(JSON.stringify(json).length).toBeLessThan(64 * 1024);
        }
      }
    });

    it("reads nothing in a second run", async () => {
      const target = await sync(new MemoryTarget());
      await sync(target);
      expect(target.opened).toEqual([]);
      expect(changesOf(target)).toEqual([]);
      expectCorpus(target, corpus);
    });

    it("finds what was created, changed, deleted and moved, and touches nothing else", async () => {
      const target = await sync(new MemoryTarget());
      await harness.put("guides/new.md", "Filters last six months.");
      await harness.put("handbook.md", "Holidays are agreed with the team and the manager.");
      await harness.remove("guides/clean.md");
      await harness.move("guides/reset.md", "guides/restart.md");
      await sync(target);
      const { "guides/clean.md": _, "guides/reset.md": moved, ...rest } = corpus;
      expectCorpus(target, {
        ...rest,
        "guides/new.md": "Filters last six months.",
        "handbook.md": "Holidays are agreed with the team and the manager.",
        "guides/restart.md": moved!,
      });
      const { moves } = harness.connector.capabilities;
      expect(target.opened.sort()).toEqual(
        ["guides/new.md", "handbook.md", ...(moves ? [] : ["guides/restart.md"])].map(harness.refOf).sort(),
      );
      expect(target.changes.filter((change) => change.type === "moved").length).toBe(moves ? 1 : 0);
    });

    it("follows a document into another folder", async () => {
      const target = await sync(new MemoryTarget());
      await harness.move("guides/reset.md", "unicode/reset.md");
      await sync(target);
      const { "guides/reset.md": reset, ...others } = corpus;
      expectCorpus(target, { ...others, "unicode/reset.md": reset! });
    });

    it("follows all that lies in a folder which is moved", async (test) => {
      if (harness.moveFolder === undefined) return test.skip("The source has no folders that can be moved.");
      const target = await sync(new MemoryTarget());
      await harness.moveFolder("guides", "manuals/pumps");
      await sync(target);
      const {
        "guides/reset.md": reset,
        "guides/clean.md": clean,
        "guides/deep/er/limits.md": limits,
        ...rest
      } = corpus;
      expectCorpus(target, {
        ...rest,
        "manuals/pumps/reset.md": reset!,
        "manuals/pumps/clean.md": clean!,
        "manuals/pumps/deep/er/limits.md": limits!,
      });
      const { moves } = harness.connector.capabilities;
      if (moves) expect(target.opened).toEqual([]);
    });

    it("gives back a document that was deleted and restored", async () => {
      const target = await sync(new MemoryTarget());
      await harness.remove("handbook.md");
      await sync(target);
      expect(textOf(target, "handbook.md")).toBeUndefined();
      if (harness.restore === undefined) await harness.put("handbook.md", corpus["handbook.md"]!);
      else await harness.restore("handbook.md");
      await sync(target);
      expectCorpus(target, corpus);
    });

    it("ends the same when killed at any change and resumed, on a first run", async () => {
      const whole = await sync(new MemoryTarget());
      for (let at = 0; at < whole.changes.length; at += 1) {
        for (const write of ["lost", "done"] as const) {
          const target = new MemoryTarget();
          expect(await target.apply(read(target), { at, write })).toBe("killed");
          await sync(target);
          expect(target.held(), `killed at ${at}, write ${write}`).toEqual(whole.held());
        }
      }
    });

    it("ends the same when killed at any change and resumed, on a run with every kind of change", async () => {
      const before = await sync(new MemoryTarget());
      await harness.put("guides/new.md", "Filters last six months.");
      await harness.put("handbook.md", "Holidays are agreed with the team and the manager.");
      await harness.remove("guides/clean.md");
      await harness.move("guides/reset.md", "guides/restart.md");
      const whole = await sync(before.copy());
      for (let at = 0; at < whole.changes.length; at += 1) {
        for (const write of ["lost", "done"] as const) {
          const target = before.copy();
          expect(await target.apply(read(target), { at, write })).toBe("killed");
          await sync(target);
          expect(target.held(), `killed at ${at}, write ${write}`).toEqual(whole.held());
        }
      }
    });

    it("deletes nothing when the whole source has vanished, and says so", async () => {
      const target = await sync(new MemoryTarget());
      const before = target.held();
      const restore = await harness.vanish();
      try {
        const error = await sync(target).then(
          () => null,
          (thrown: unknown) => reportOf(thrown),
        );
        expect(["SOURCE_NOT_FOUND", "SOURCE_UNREACHABLE"]).toContain(error?.code);
        expect(error?.action).not.toBe("");
        expectCorpus(target, corpus);
        const check = await harness.connector.check(harness.config, harness.secrets, contextOf());
        expect(check.error?.code).toBe(error?.code);
      } finally {
        await restore();
      }
      await sync(target);
      // Readers that the source had not told any more come back.
      expect(changesOf(target).filter(({ type }) => type !== "acl")).toEqual([]);
      expect(target.held()).toEqual(before);
    });

    it("reports one failing document, reads the rest, and heals in a later run", async () => {
      const heal = await harness.breakItem("guides/clean.md");
      const target = await sync(new MemoryTarget());
      expect(target.failures.map((failure) => failure.ref)).toEqual([harness.refOf("guides/clean.md")]);
      const { "guides/clean.md": _, ...rest } = corpus;
      expectCorpus(target, rest);
      await heal();
      await sync(target);
      expectCorpus(target, corpus);
    });

    it("keeps the last good state of a document that begins to fail", async () => {
      const target = await sync(new MemoryTarget());
      await harness.breakItem("guides/clean.md");
      await sync(target);
      expectCorpus(target, corpus);
    });

    it("holds back a mass deletion, and says so at each sync, until a person confirms it", async () => {
      const target = await sync(new MemoryTarget());
      await harness.remove("guides/clean.md");
      await harness.remove("guides/reset.md");
      for (let syncs = 0; syncs < 2; syncs += 1) {
        await sync(target, defaultDeletionPolicy);
        expect(target.failures.map((failure) => failure.error.code)).toEqual(["CONFLICT"]);
        expectCorpus(target, corpus);
      }
      await sync(target, { ...defaultDeletionPolicy, confirmed: true });
      expect(target.documents.size).toBe(Object.keys(corpus).length - 2);
    });

    it("reports a document above the size limit and never reads it whole", async () => {
      await harness.put("guides/huge.md", "x".repeat(300_000));
      const target = new MemoryTarget();
      const context = { ...contextOf(), limits: { ...defaultLimits, documentBytes: 100_000 } };
      await target.apply(harness.connector.read({ ...harness, cursor: null, known: target.known(), context }));
      expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([
        [harness.refOf("guides/huge.md"), "DOCUMENT_TOO_LARGE"],
      ]);
      expectCorpus(target, corpus);
      // A limit that is raised is a change, though there is none at the source.
      await sync(target);
      expectCorpus(target, { ...corpus, "guides/huge.md": "x".repeat(300_000) });
    });

    const kit: Kit = {
      hands: () => harness,
      corpus,
      async shareCorpus() {
        for (const path of Object.keys(corpus)) await harness.share?.(path, [{ user: "ann" }]);
      },
      async sync(target, changes, kill) {
        await target.apply(readIn(target, { ...contextOf(), ...changes }), kill);
        return target;
      },
      async attempt(...sync) {
        try {
          await kit.sync(...sync);
          return null;
        } catch (error) {
          if (isAnnealError(error)) return error;
          throw error;
        }
      },
      changesOf,
      expectDocuments: expectCorpus,
    };
    describeNames(kit);
    describeFirstSync(kit);
    describeCheckpoints(kit);
    describeClock(kit);
    if (way === "http") describeRemote(kit);
    if (way === "http") describeGivenUp(kit);
    if (way === "connection") describeConnection(kit);
    if (way === "connection") describeLockOut(kit);
    if (way !== null) describeSlowness(kit);
    if (way !== null) describeCounting(kit);

    it("stops soon after it is cancelled", async () => {
      const abort = new AbortController();
      abort.abort();
      const target = new MemoryTarget();
      const context = { ...contextOf(), signal: abort.signal };
      await expect(
        target.apply(harness.connector.read({ ...harness, cursor: null, known: target.known(), context })),
      ).rejects.toThrow();
      expect(target.documents.size).toBe(0);
    });
  });
}
