import type { Acl } from "@anneal/core/access/acl";
import type { Change } from "@anneal/core/connect/change";
import { describe, expect, it } from "vitest";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { compareAudience, compareDocument, compareMark, refOf } from "./row-change.ts";

const ref = "note/1";
const maxBytes = 100;
const owner = (id: string): Acl => ({ allow: [{ source: "postgres", tenant: "h/d", kind: "user", id }], deny: [] });
const facts = { ref, uri: "postgres://h/d/note?id=1", title: "Note", modifiedAt: null };
const tooLong = "x".repeat(maxBytes + 1);

type State = { acl: Acl | null; text: string; mark?: string };

async function* stream(changes: Change[]): AsyncIterable<Change> {
  yield* changes;
}

async function compare(target: MemoryTarget, { acl, text, mark = "1" }: State): Promise<Change[]> {
  return compareDocument({ ...facts, acl, mark }, text, target.known(), maxBytes);
}

/** @returns the types of what was applied */
async function sync(target: MemoryTarget, state: State, kill?: { at: number; write: "lost" | "done" }) {
  await target.apply(stream(await compare(target, state)), kill);
  return target.changes.map(({ type }) => type);
}

async function stored(state: State): Promise<MemoryTarget> {
  const target = new MemoryTarget();
  expect(await sync(target, state)).toEqual(["upsert"]);
  return target;
}

const readers = (target: MemoryTarget) => target.documents.get(ref)?.item.acl?.allow.map(({ id }) => id);

describe("compareDocument", () => {
  it("revokes before it says that a text has grown too large, and reads the text once it fits again", async () => {
    const target = await stored({ acl: owner("ann"), text: "short" });
    expect(await sync(target, { acl: owner("bob"), text: tooLong })).toEqual(["acl", "failure"]);
    expect(readers(target)).toEqual(["bob"]);
    expect(target.failures.map(({ error }) => error.code)).toEqual(["DOCUMENT_TOO_LARGE"]);
    expect(await sync(target, { acl: owner("bob"), text: tooLong })).toEqual(["failure"]);
    expect(await sync(target, { acl: owner("bob"), text: "other" })).toEqual(["upsert"]);
    expect(await sync(target, { acl: owner("bob"), text: "other" })).toEqual([]);
  });

  it("revokes before it offers a new text, so that one that is refused leaves nobody their old right", async () => {
    const target = await stored({ acl: owner("ann"), text: "short" });
    const changed = { acl: owner("bob"), text: "other", mark: "2" };
    // The consumer stores the audience and could not store the text.
    expect(await sync(target, changed, { at: 1, write: "lost" })).toEqual(["acl", "upsert"]);
    expect([readers(target), target.documents.get(ref)?.text]).toEqual([["bob"], "short"]);
    expect(await compareMark(ref, "2", target.known())).toBe("other");
    expect(await sync(target, changed)).toEqual(["upsert"]);
    expect(target.documents.get(ref)?.text).toBe("other");
    expect(await sync(target, changed)).toEqual([]);
  });

  it("reads nothing where the audience alone changed, and stores a watermark that moved with it", async () => {
    const target = await stored({ acl: owner("ann"), text: "short" });
    expect(await sync(target, { acl: owner("bob"), text: "short" })).toEqual(["acl"]);
    expect(await sync(target, { acl: owner("eve"), text: "short", mark: "2" })).toEqual(["acl", "moved"]);
    expect([readers(target), target.opened]).toEqual([["eve"], []]);
    expect(await compareMark(ref, "2", target.known())).toBe("same");
    expect(await sync(target, { acl: owner("eve"), text: "short", mark: "2" })).toEqual([]);
  });

  it("takes a text from everybody when its rows have owners by now, also one that grew too large", async () => {
    const target = await stored({ acl: null, text: "short" });
    expect(await sync(target, { acl: owner("bob"), text: tooLong })).toEqual(["acl", "failure"]);
    expect(readers(target)).toEqual(["bob"]);
    // Back to the source's default audience is for the consumer to apply, with the whole item.
    expect(await sync(target, { acl: null, text: "short" })).toEqual(["upsert"]);
    expect(target.documents.get(ref)?.item.acl).toBeNull();
  });

  it("tells the audience of what could not be stored once, and offers its text again and again", async () => {
    const target = await stored({ acl: owner("ann"), text: "short" });
    const document = target.documents.get(ref)!;
    const forget = () => void (document.item = { ...document.item, fingerprint: "" });
    forget();
    expect(await sync(target, { acl: owner("bob"), text: "short" }, { at: 1, write: "lost" })).toEqual([
      "acl",
      "upsert",
    ]);
    expect(await compareMark(ref, "1", target.known())).toBe("unread");
    expect(await sync(target, { acl: owner("bob"), text: "short" }, { at: 0, write: "lost" })).toEqual(["upsert"]);
    // So does the look at rows below the watermark, which are not read.
    forget();
    const change = await compareAudience(ref, owner("eve"), target.known());
    await target.apply(stream(change === null ? [] : [change]));
    expect(readers(target)).toEqual(["eve"]);
    expect(await compareAudience(ref, owner("eve"), target.known())).toBeNull();
    expect(await compareMark(ref, "1", target.known())).toBe("unread");
  });
});

describe("refOf", () => {
  it("names a row by what there is of a key that was cut in the middle of a character", () => {
    const id = { name: "id", typeName: "nvarchar(2)", category: "S" };
    const relation = { name: "note", prelude: "", from: "", table: null, columns: [id], key: [id], keyIsPrimary: true };
    const named = { ...relation, title: null, watermark: null, owner: null };
    expect(refOf(named, new Map([["id", "a\ud83d"]]))).toBe("note/a%EF%BF%BD");
  });
});
