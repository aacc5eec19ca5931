import { expect, it } from "vitest";
import { defaultDeletionPolicy, refuseDeletions } from "./deletion-policy.ts";
import {
  consequenceOfUnindexed,
  describeUnindexed,
  statusOfSource,
  wordUnindexed,
  type StatusFacts,
} from "./source-status.ts";

const read: StatusFacts = {
  syncing: false,
  paused: false,
  waitsUntil: null,
  cancelled: false,
  lastSyncAt: new Date("2031-02-03T04:05:06Z"),
  lastSyncError: null,
  waitingCount: 0,
  unindexedCount: 0,
  quarantinedCount: 0,
};
const heldBack = { lastSyncError: refuseDeletions(defaultDeletionPolicy, 30, 12) };

/** Each with all of those that it comes before. */
it.each([
  ["reading", { syncing: true, paused: true, cancelled: true, quarantinedCount: 7 }],
  ["paused", { paused: true, waitsUntil: new Date(), cancelled: true, ...heldBack }],
  ["waiting", { waitsUntil: new Date(), cancelled: true, ...heldBack }],
  ["heldBack", { ...heldBack, cancelled: true, quarantinedCount: 7 }],
  ["failed", { lastSyncError: {}, cancelled: true, lastSyncAt: null, quarantinedCount: 7 }],
  ["cancelled", { cancelled: true, lastSyncAt: null, waitingCount: 3, quarantinedCount: 7 }],
  ["unread", { lastSyncAt: null, waitingCount: 3, quarantinedCount: 7 }],
  ["unindexed", { waitingCount: 3, quarantinedCount: 7 }],
  ["unindexed", { unindexedCount: 3 }],
  ["partial", { quarantinedCount: 7 }],
  ["upToDate", {}],
])("a source is %s", (status, change) => {
  expect(statusOfSource({ ...read, ...change })).toBe(status);
});

it("says what of it is not parsed, what is not in the index, and nothing where all of it is", () => {
  expect(wordUnindexed(read)).toBeNull();
  expect(describeUnindexed(read)).toBeNull();
  const fetched = { ...read, waitingCount: 1 };
  expect([wordUnindexed(fetched), describeUnindexed(fetched)]).toEqual([
    "1 not parsed yet",
    "1 document is fetched and not parsed yet.",
  ]);
  const parsed = { ...read, unindexedCount: 1_200 };
  expect([wordUnindexed(parsed), describeUnindexed(parsed)]).toEqual([
    "1,200 not findable yet",
    "1,200 documents are parsed and not in the index yet.",
  ]);
  expect(describeUnindexed({ waitingCount: 2, unindexedCount: 1 })).toBe(
    "2 documents are fetched and not parsed yet, 1 document is parsed and not in the index yet.",
  );
  expect(consequenceOfUnindexed(fetched)).toBe("Nobody finds it yet, and whether it can be read is not known.");
  expect(consequenceOfUnindexed(parsed)).toBe("Nobody finds them yet.");
});
