import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { addWorkspace } from "../../testing/source-fixture.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import { inWorkspace, type Scope } from "../database.ts";
import { saveCollection } from "./indexing.ts";
import { collections } from "../schema.ts";

let test: TestDatabase;
let scope: Scope;

beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());
beforeEach(async () => {
  scope = await addWorkspace(test.db);
});

it("gives a workspace one collection, also when two runs make it at once or another model is set later", async () => {
  const save = (embeddingModel: string) => saveCollection(scope, { embeddingModel, dimensions: 2, settings: {} });
  const [first, again] = await Promise.all([save("small"), save("small")]);
  expect(again.id).toBe(first.id);
  expect(await save("large")).toEqual(first);
  // An earlier release let a person name it.
  const other = await addWorkspace(test.db);
  const named = {
    workspaceId: other.workspaceId,
    name: "handbook",
    embeddingModel: "small",
    dimensions: 2,
    settings: {},
  };
  await inWorkspace(other, (tx) => tx.insert(collections).values(named));
  expect(await saveCollection(other, { embeddingModel: "small", dimensions: 2, settings: {} })).toMatchObject(named);
});
