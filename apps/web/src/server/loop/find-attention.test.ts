import { defaultDeletionPolicy, refuseDeletions } from "@anneal/core/connect/deletion-policy";
import { expect, it } from "vitest";
import { findAttention } from "./find-attention.ts";

const error = { code: "SOURCE_CREDENTIALS", message: "It was refused.", action: "Sign in again." } as const;
const source = {
  id: "s1",
  name: "Wiki",
  lastSyncError: null,
  directoryError: null,
  syncing: false,
  waitingCount: 0,
  unindexedCount: 0,
};
const titlesOf = (change: Partial<Parameters<typeof findAttention>[0]["sources"][number]>) =>
  findAttention({ latestRun: undefined, sources: [{ ...source, ...change }], quarantinedCount: 0 }).map(
    ({ title }) => title,
  );

it("says of a source what could not be read of it: its documents, else who is in which group, and nothing twice", () => {
  expect(titlesOf({})).toEqual([]);
  expect(titlesOf({ directoryError: error })).toEqual(["The people and groups of the source “Wiki” could not be read"]);
  expect(titlesOf({ directoryError: { ...error, details: { partial: true } } })).toEqual([
    "Some people or groups of the source “Wiki” could not be read",
  ]);
  expect(titlesOf({ directoryError: error, lastSyncError: error })).toEqual(["The source “Wiki” could not be read"]);
  expect(titlesOf({ lastSyncError: refuseDeletions(defaultDeletionPolicy, 30, 12) })).toEqual([
    "Deletions of the source “Wiki” wait for your word",
  ]);
});

it("says what is not findable yet, unless somebody is at it", () => {
  expect(titlesOf({ waitingCount: 1 })).toEqual(["1 document is not findable yet"]);
  expect(titlesOf({ waitingCount: 1, syncing: true })).toEqual([]);
  const behind = { ...source, waitingCount: 2, unindexedCount: 3 };
  const find = (endedAt: Date | null, sources: (typeof source)[]) =>
    findAttention({ latestRun: { id: "r1", status: "done", endedAt, error: null }, sources, quarantinedCount: 0 });
  expect(find(new Date(), [behind])).toMatchObject([
    {
      title: "5 documents are not findable yet",
      detail: expect.stringContaining("“Wiki” was read"),
      path: "/sources/s1",
    },
  ]);
  expect(find(new Date(), [behind, { ...behind, id: "s2" }, source])).toMatchObject([
    {
      title: "10 documents are not findable yet",
      detail: expect.stringContaining("2 sources were read"),
      path: "/sources",
    },
  ]);
  expect(find(null, [behind])).toEqual([]);
});
