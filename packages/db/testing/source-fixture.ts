import { randomUUID } from "node:crypto";
import { nobody } from "@anneal/core/access/acl";
import type { Database, Scope } from "../src/database.ts";
import { saveWorkspace } from "../src/queries/access.ts";
import { saveSource } from "../src/queries/sources.ts";

/** A workspace of a test's own, so that tests of one database meet nothing of each other. */
export async function addWorkspace(db: Database): Promise<Scope> {
  const { id: workspaceId } = await saveWorkspace(db, { slug: randomUUID(), name: "Test" });
  return { db, workspaceId };
}

/**
 * A folder without credentials or a schedule, whose documents nobody reads by default; with an id, a change of that source.
 * @returns its id
 */
export async function addSource(
  scope: Scope,
  { id = randomUUID(), ...facts }: Partial<Parameters<typeof saveSource>[1]> = {},
): Promise<string> {
  const source = { name: id, kind: "file", config: {}, sealedSecrets: null, defaultAcl: nobody, schedule: null };
  await saveSource(scope, { id, ...source, ...facts });
  return id;
}
