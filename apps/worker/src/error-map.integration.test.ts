import { randomUUID } from "node:crypto";
import { inspect } from "node:util";
import { nobody } from "@anneal/core/access/acl";
import { saveWorkspace } from "@anneal/db/queries/access";
import { getSource, saveSource } from "@anneal/db/queries/sources";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { afterAll, beforeAll, expect, it } from "vitest";
import { withFailures } from "./error-map.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());

it("gives what PostgreSQL refuses to Temporal without what was to be stored or looked for", async () => {
  const { id: workspaceId } = await saveWorkspace(test.db, { slug: randomUUID(), name: "Test" });
  const scope = { db: test.db, workspaceId };
  const name = "Merger\n    at ann@example.com";
  const source = { kind: "file", config: {}, defaultAcl: nobody, schedule: null };
  const activities = withFailures({
    insert: () => saveSource({ ...scope, workspaceId: randomUUID() }, { id: randomUUID(), name, ...source }),
    select: () => getSource(scope, name),
  });
  for (const activity of Object.values(activities)) {
    const error = await activity().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message: expect.stringContaining('"sources"') });
    expect((error as Error).stack).toContain("params: (left out)");
    expect((error as Error).cause).toMatchObject({ code: expect.stringMatching(/^\w{5}$/) });
    expect(inspect(error, { depth: null, showHidden: true })).not.toMatch(/Merger|ann@/);
  }
});
