import { defaultDeletionPolicy, refuseDeletions } from "@anneal/core/connect/deletion-policy";
import { stages, type Stage, type StageStatus } from "@anneal/core/loop/contract";
import type { RunStatus } from "@anneal/db/schema";
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
  findAttention({ latestRuns: [], sources: [{ ...source, ...change }], quarantinedCount: 0 }).map(({ title }) => title);

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

/** One for everything that is at this stage. */
function runAt(status: RunStatus, stage: Stage, stageStatus: StageStatus) {
  const at = stages.indexOf(stage);
  const statusOf = (index: number) => (index < at ? "done" : index === at ? stageStatus : "waiting");
  return {
    id: "r1",
    settings: {},
    status,
    error: null,
    stages: stages.map((each, index) => ({ stage: each, status: statusOf(index) }) as const),
  };
}

it("says which run failed, also when one for something else went well after it", () => {
  const failed = { ...runAt("failed", "train", "failed"), error: { ...error, stage: "train" } };
  const search = { ...runAt("done", "index", "done"), id: "r2", settings: { purpose: "search" as const } };
  const find = (...latestRuns: Parameters<typeof findAttention>[0]["latestRuns"]) =>
    findAttention({ latestRuns, sources: [], quarantinedCount: 0 }).map(({ title, path }) => `${title}: ${path}`);
  expect(find(failed, search)).toEqual(["The last run for everything failed in “train”: /runs/r1"]);
  expect(find({ ...search, status: "failed" })).toEqual([
    "The last run for making documents findable failed in “an unknown stage”: /runs/r2",
  ]);
  expect(find(search)).toEqual([]);
});

it("says what is not findable yet, unless somebody is at it", () => {
  expect(titlesOf({ waitingCount: 1 })).toEqual(["1 document is not findable yet"]);
  expect(titlesOf({ waitingCount: 1, syncing: true })).toEqual([]);
  const behind = { ...source, waitingCount: 2, unindexedCount: 3 };
  const find = (at: Parameters<typeof runAt> | null, sources: (typeof source)[]) =>
    findAttention({ latestRuns: at === null ? [] : [runAt(...at)], sources, quarantinedCount: 0 });
  expect(find(null, [behind])).toMatchObject([
    {
      title: "5 documents are not findable yet",
      detail: expect.stringContaining("“Wiki” was read"),
      path: "/sources/s1",
    },
  ]);
  expect(find(null, [behind, { ...behind, id: "s2" }, source])).toMatchObject([
    {
      title: "10 documents are not findable yet",
      detail: expect.stringContaining("2 sources were read"),
      path: "/sources",
    },
  ]);
  expect(find(["waiting", "connect", "waiting"], [behind])).toEqual([]);
  expect(find(["running", "clean", "running"], [behind])).toEqual([]);
  expect(find(["running", "index", "running"], [behind])).toEqual([]);
  // While it trains, another run can make them findable.
  expect(find(["running", "train", "running"], [behind])).toHaveLength(1);
  expect(find(["failed", "index", "running"], [behind])).toHaveLength(2);
});
