import { expect, it } from "vitest";
import { defaultDeletionPolicy, refuseDeletions } from "./deletion-policy.ts";
import { statusOfSource, type StatusFacts } from "./source-status.ts";

const read: StatusFacts = {
  syncing: false,
  paused: false,
  waitsUntil: null,
  cancelled: false,
  lastSyncAt: new Date("2031-02-03T04:05:06Z"),
  lastSyncError: null,
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
  ["cancelled", { cancelled: true, lastSyncAt: null, quarantinedCount: 7 }],
  ["unread", { lastSyncAt: null, quarantinedCount: 7 }],
  ["partial", { quarantinedCount: 7 }],
  ["upToDate", {}],
])("a source is %s", (status, change) => {
  expect(statusOfSource({ ...read, ...change })).toBe(status);
});
