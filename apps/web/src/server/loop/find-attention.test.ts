import { defaultDeletionPolicy, refuseDeletions } from "@anneal/core/connect/deletion-policy";
import { expect, it } from "vitest";
import { findAttention } from "./find-attention.ts";

const error = { code: "SOURCE_CREDENTIALS", message: "It was refused.", action: "Sign in again." } as const;
const source = {
  id: "s1",
  name: "Wiki",
  lastSyncError: null,
  directoryError: null,
  schedule: null,
  lastSyncAt: new Date(),
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
