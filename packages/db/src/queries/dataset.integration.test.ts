import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aclOf } from "../../testing/document-fixture.ts";
import { addWorkspace } from "../../testing/source-fixture.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import type { Scope } from "../database.ts";
import { saveDatasetVersion } from "./dataset.ts";

let test: TestDatabase;
let scope: Scope;

beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());
beforeEach(async () => {
  scope = await addWorkspace(test.db);
});

describe("a dataset version", () => {
  it("is immutable: an equal digest is the version that exists, another one the next number", async () => {
    const save = (digest: string, trainCount: number) =>
      saveDatasetVersion(
        scope,
        {
          id: randomUUID(),
          name: "documents",
          digest,
          trainKey: `datasets/${digest}/train.jsonl`,
          evalKey: `datasets/${digest}/eval.jsonl`,
          trainCount,
          evalCount: 1,
          pairCount: 1,
          droppedCount: 0,
          acl: aclOf(scope),
          settings: {},
          stats: {},
          runId: null,
        },
        [],
      );
    const [first, again] = await Promise.all([save("aa", 1), save("aa", 1)]);
    expect([first.created, again.created].toSorted()).toEqual([false, true]);
    expect((await save("aa", 99)).version).toEqual(first.version);
    expect((await save("bb", 2)).version).toMatchObject({ version: 2, trainCount: 2 });
  });
});
