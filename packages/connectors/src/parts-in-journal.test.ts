import type { Change, Cursor, JournalEntry } from "@anneal/core/connect/change";
import { describe, expect, it } from "vitest";
import { MemoryTarget } from "../conformance/memory-target.ts";
import { keepPartsInJournal, wholeCursor } from "./parts-in-journal.ts";

const places = ["files.drives", "channels"];
const position = (target: MemoryTarget) => ({ cursor: target.cursor, journal: target.journal() });
const checkpoint = (cursor: Cursor): Change => ({ type: "checkpoint", cursor, scanned: 0, total: null });

/** Stores these positions one after the other. @returns the cursor that it was given */
async function store(target: MemoryTarget, ...cursors: Cursor[]): Promise<Cursor | null> {
  let given: Cursor | null = null;
  const read = keepPartsInJournal<ReturnType<typeof position>>(places, async function* ({ cursor }) {
    given = cursor;
    for (const next of cursors) yield checkpoint(next);
  });
  await target.apply(read(position(target)));
  return given;
}

async function entries(target: MemoryTarget): Promise<JournalEntry[]> {
  const found: JournalEntry[] = [];
  for await (const entry of target.journal()) found.push(entry);
  return found;
}

const links = (count: number, link = "a") =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`drive ${index}`, { link: `${link}${index}` }]));
const cursorOf = (drives: object, channels: object = {}): Cursor => ({
  version: 7,
  files: { settings: "s", drives },
  channels,
});

describe("a position whose parts are in the journal", () => {
  it("is given back as it was written, by each run that follows", async () => {
    const target = new MemoryTarget();
    const first = cursorOf(links(3), { "team.general": { link: "x" }, __proto__x: {} });
    const second = cursorOf({ ...links(2), other: { link: null } });
    expect(await store(target, first)).toBeNull();
    expect(await store(target, second)).toEqual(first);
    expect(await store(target)).toEqual(second);
    expect(await wholeCursor(position(target), places)).toEqual(second);
    expect(target.cursor).toEqual({ version: 7, files: { settings: "s" } });
  });

  it("stores what moved and what is gone, and nothing where nothing did", async () => {
    const target = new MemoryTarget();
    await store(target, cursorOf(links(50)));
    const before = (await entries(target)).length;
    const { "drive 0": _, ...rest } = links(50);
    const moved = cursorOf({ ...rest, "drive 7": { link: "b" } });
    await store(target, cursorOf(links(50)), moved, moved);
    expect((await entries(target)).slice(before)).toEqual([
      { parts: [["files.drives drive 0"], ["files.drives drive 7", { link: "b" }]] },
    ]);
  });

  it("has a small cursor and small entries, however many parts there are", async () => {
    const target = new MemoryTarget();
    const drives = links(5000, "x".repeat(500));
    await store(target, cursorOf(drives));
    for (const json of [target.cursor, ...(await entries(target))])
      expect(JSON.stringify(json).length).toBeLessThan(64 * 1024);
    expect(await store(target)).toEqual(cursorOf(drives));
  });

  it("begins its journal anew before that is much longer than what counts", async () => {
    const target = new MemoryTarget();
    for (let turn = 0; turn < 400; turn += 1) await store(target, cursorOf(links(1, `turn ${turn} `)));
    expect((await entries(target)).length).toBeLessThan(105);
    expect(await store(target)).toEqual(cursorOf(links(1, "turn 399 ")));
  });

  it("begins anew where there was no cursor, and from one that an earlier release wrote", async () => {
    const target = new MemoryTarget();
    await store(target, cursorOf(links(5)));
    target.cursor = null;
    expect(await store(target, cursorOf(links(1)))).toBeNull();
    expect(await store(target)).toEqual(cursorOf(links(1)));
    const old = cursorOf(links(4, "old"));
    target.cursor = old;
    expect(await store(target, old)).toEqual(old);
    expect(await store(target)).toEqual(old);
  });

  it("is without the parts of what it no longer has", async () => {
    const target = new MemoryTarget();
    await store(target, cursorOf(links(2)), { version: 7, files: null, channels: {} });
    expect(await store(target)).toEqual({ version: 7, files: null, channels: {} });
  });
});
