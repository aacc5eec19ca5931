import { expect } from "vitest";
import { describeConnector } from "./describe-connector.ts";
import { describePermissions, type PermissionHarness, type Who } from "./describe-permissions.ts";
import { MemoryTarget } from "./memory-target.ts";
import { progressOf } from "./progress-of.ts";

/**
 * What every database's harness has in common: pages in a table "page" by their path, owners in a field "owners", and people
 * "u-ann", "u-bob" and "u-eve" whose addresses are in a table "person".
 */
export const tableHarness = {
  // A statement may take 20 times as long.
  stallTimeoutMs: 100,
  refOf: (path: string) => `page/${encodeURIComponent(path)}`,
  emailOf: (person: string) => `${person}@example.org`,
  setGroup: () => Promise.reject(new Error("there are no groups")),
  supports: { groups: false, nestedGroups: false, deny: false, domain: false, anyone: false },
};

/** The ids that stand in "owners" for them. */
export function ownersOf(allow: readonly Who[]): string[] {
  return allow.flatMap((who) => (who !== "anyone" && "user" in who ? `u-${who.user}` : []));
}

/**
 * What is told of a table "note" with 700 rows, a key "id" and a watermark "version": about how many there are while all are
 * read, and of later syncs and of a query no number.
 */
export async function expectProgressOfNotes(
  sync: (target: MemoryTarget, config: { tables?: object[]; queries?: object[] }) => Promise<MemoryTarget>,
): Promise<void> {
  const config = { tables: [{ name: "note", watermark: "version" }] };
  const target = await sync(new MemoryTarget(), config);
  expect(progressOf(target)).toContainEqual({ total: 700, listsAll: true });
  await sync(target, config);
  expect(progressOf(target).length).toBeGreaterThan(0);
  for (const progress of progressOf(target)) expect(progress).toEqual({ total: null, listsAll: false });
  const queries = [{ name: "notes", sql: "SELECT id, version FROM note" }];
  expect(progressOf(await sync(new MemoryTarget(), { queries }))).toContainEqual({ total: null, listsAll: true });
}

/** Both kits, once for each way to find what changed. @param watermark the field that grows with every change */
export function describeTables<Config, Secrets>(
  kind: string,
  watermark: string,
  createHarness: (watermark: string | null, owner: string | null) => Promise<PermissionHarness<Config, Secrets>>,
): void {
  for (const [how, column] of [
    ["by full listing", null],
    ["by watermark", watermark],
  ] as const) {
    describeConnector(`${kind} ${how}`, () => createHarness(column, null), "connection");
    describePermissions(`${kind} ${how}`, () => createHarness(column, "owners"));
  }
}
