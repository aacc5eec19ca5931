import { principalKey } from "@anneal/core/access/acl";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { isAnnealError } from "@anneal/core/errors";
import { afterEach, expect, it } from "vitest";
import type { ConnectContext } from "../src/connector.ts";
import type { PermissionHarness } from "./describe-permissions.ts";
import type { RemoteHarness } from "./describe-remote.ts";
import type { Kit } from "./kit.ts";
import { MemoryTarget } from "./memory-target.ts";
import type { Trouble } from "./remote-trouble.ts";
import { createTestClock } from "./test-clock.ts";

/** Requests, by method and address; or why there are none such. */
type Told = RegExp | { none: string };

/** What a source with permissions that is asked by HTTP says of its requests. */
export type PermissionRemote = RemoteHarness & {
  /** Those that tell who may read one document, or who is in the one group that it names. */
  tellsReaders: Told;
  /**
   * Of those for people and groups the ones that are about one group or one document; every other is about the directory
   * as a whole. Left out: they are not played.
   */
  tellsMembers?: Told;
  /** And those that are about one of several places in the source, which may have many groups of its own. */
  tellsGroups?: RegExp;
};

const lost = "remote/lost.md";

/**
 * The first and the last request of each kind: those that differ by a number or an id alone are given up on alike, and a
 * sync for each of them would be most of what the kit takes.
 */
function ofEachKind(places: readonly string[]): string[] {
  const kinds = Map.groupBy(places, (place) => place.replaceAll(/[\w.~%-]*\d[\w.~%-]*/g, "…"));
  return [...kinds.values()].flatMap((alike) => (alike.length > 2 ? [alike[0]!, alike.at(-1)!] : alike));
}

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
    await kit.shareCorpus();
    await put(lost, "Is removed before a request is given up on.");
    const lostRef = refOf(lost);
    const { target: known } = await readUndisturbed(new MemoryTarget());
    await remove(lost);
    await put("handbook.md", "Holidays are agreed with nobody.");
    const first = await readUndisturbed(new MemoryTarget());
    const later = await readUndisturbed(known);
    const changed = first.contents;
    for (const { from, places } of [first, later]) {
      for (const on of ofEachKind(places)) {
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
        expect(target.held(), on).toEqual(first.target.held());
      }
    }
  });

  it("ends where a gateway gives up on everything, and deletes nothing", async () => {
    const { trouble } = remote();
    trouble.begin(null);
    const held = (await kit.sync(new MemoryTarget())).held();
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
      expect(target.held(), `from ${from}`).toEqual(held);
    }
  });
}

/** What the kit for permissions lends. */
type PermissionKit = {
  hands(): PermissionHarness<unknown, unknown>;
  read(target: MemoryTarget, context?: Partial<ConnectContext>): Promise<unknown>;
  listDirectory(context?: Partial<ConnectContext>): Promise<DirectoryEntry[]>;
  /** Who of the kit's people may read the document, as the platform decides by these entries. */
  readersAmong(entries: readonly DirectoryEntry[], target: MemoryTarget, path: string): Promise<string[]>;
};

/** What a gateway gives up on each time is one document's or one group's: it lets nobody in, and costs no other anything. */
export function describeGivenUpPermissions(kit: PermissionKit): void {
  const { hands, read, listDirectory, readersAmong } = kit;
  const share = async (name: string, allow: Parameters<PermissionHarness<unknown, unknown>["share"]>[1]) => {
    await hands().put(name, `About ${name}.`);
    await hands().share(name, allow);
  };
  const begin = ({ trouble }: RemoteHarness, on: Extract<Trouble, { kind: "given up" }>["on"]) => {
    const clock = createTestClock();
    trouble.begin({ kind: "given up", on }, clock);
    return { clock };
  };

  it("no longer shows a document to whom it was taken from, whichever request for permissions is given up on", async (test) => {
    const { remote } = hands();
    if (remote === undefined) return test.skip("nothing lies between");
    const { trouble, aboutAll, tellsReaders } = remote;
    if (!(tellsReaders instanceof RegExp)) return test.skip(tellsReaders.none);
    await share("plan.md", [{ user: "ann" }]);
    const before = new MemoryTarget();
    await read(before);
    await hands().share("plan.md", [{ user: "bob" }]);
    trouble.begin(null);
    await read(before.copy());
    const entries = await listDirectory();
    const played = trouble.places.filter((place) => tellsReaders.test(place) && aboutAll?.test(place) !== true);
    expect(played).not.toEqual([]);
    for (const on of played) {
      const target = before.copy();
      await read(target, begin(remote, on));
      expect(await readersAmong(entries, target, "plan.md"), on).not.toContain("ann");
      const listed = await listDirectory(begin(remote, on));
      expect(await readersAmong(listed, target, "plan.md"), on).not.toContain("ann");
      trouble.begin(null);
      await read(target);
      expect(await readersAmong(await listDirectory(), target, "plan.md"), on).toEqual(["bob"]);
    }
  });

  it("knows everybody else, and says who is missing, whichever request about one group or document is given up on", async (test) => {
    const { remote, connector, supports } = hands();
    if (remote === undefined || connector.readDirectory === undefined) return test.skip("nobody is asked");
    const { trouble, tellsMembers, tellsGroups } = remote;
    if (tellsMembers === undefined) return test.skip("the harness does not say which requests are about one group");
    await share("terms.md", [{ user: "eve" }]);
    if (supports.groups) {
      for (const [group, member] of Object.entries({ finance: "ann", legal: "bob" })) {
        await hands().put(`${group}.md`, `About ${group}.`);
        await hands().setGroup(group, [member]);
        await hands().share(`${group}.md`, [{ group }]);
      }
    }
    trouble.begin(null);
    const whole = await listDirectory();
    const { places } = trouble;
    const isAboutOne = (place: string) => tellsMembers instanceof RegExp && tellsMembers.test(place);
    const isAboutSome = (place: string) => tellsGroups?.test(place) === true;
    let played = 0;
    for (const on of places) {
      const outcome = await listDirectory(begin(remote, on)).catch((error: unknown) => error);
      // A token that is asked for later is asked for in other words.
      if (trouble.refused === 0) continue;
      if (!isAboutOne(on) && !isAboutSome(on)) {
        expect(outcome, on).toSatisfy(isAnnealError);
        continue;
      }
      if (isAboutOne(on)) played += 1;
      expect(outcome, on).toBeInstanceOf(Array);
      const told = outcome as DirectoryEntry[];
      const failures = told.flatMap((entry) => (entry.type === "failure" ? [entry.error] : []));
      expect(failures, on).toHaveLength(1);
      expect(failures[0]!.code, on).toBe("SOURCE_UNREACHABLE");
      for (const entry of told) if (entry.type !== "failure") expect(whole, on).toContainEqual(entry);
      const keys = new Set(told.flatMap((entry) => (entry.type === "failure" ? [] : principalKey(entry.principal))));
      const missing = whole.filter((entry) => entry.type !== "failure" && !keys.has(principalKey(entry.principal)));
      if (isAboutSome(on)) continue;
      expect(missing.length, on).toBeLessThanOrEqual(1);
      for (const entry of missing) if (entry.type === "group") expect(failures[0]!.message, on).toContain(entry.name);
    }
    if (tellsMembers instanceof RegExp) expect(played).toBeGreaterThan(0);
    trouble.begin(null);
    expect(await listDirectory()).toEqual(whole);
  });

  it("tells no directory where a gateway gives up on everything", async (test) => {
    const { remote, connector } = hands();
    if (remote === undefined || connector.readDirectory === undefined) return test.skip("nobody is asked");
    await share("plan.md", [{ user: "ann" }]);
    const { trouble } = remote;
    trouble.begin(null);
    await listDirectory();
    const { asked } = trouble;
    for (const from of [0, Math.floor(asked / 2), asked - 1]) {
      const error = await listDirectory(begin(remote, { from })).catch((thrown: unknown) => thrown);
      expect(error, `from ${from}`).toSatisfy(isAnnealError);
    }
    trouble.begin(null);
  });
}
