import { describeConnector } from "./describe-connector.ts";
import { describePermissions, type PermissionHarness, type Who } from "./describe-permissions.ts";

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
