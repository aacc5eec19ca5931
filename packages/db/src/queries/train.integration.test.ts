import { randomUUID } from "node:crypto";
import { nobody } from "@anneal/core/access/acl";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import { saveWorkspace } from "./access.ts";
import { saveDatasetVersion } from "./dataset.ts";
import { createTrainingRun, listLatestMetrics, saveTrainingMetric } from "./train.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await startTestDatabase();
});

afterAll(() => database?.stop());

it("gives each training its own first and newest losses, however far another one got", async () => {
  const { id: workspaceId } = await saveWorkspace(database.db, { slug: "default", name: "Default" });
  const scope = { db: database.db, workspaceId };
  const datasetVersionId = randomUUID();
  const files = { trainKey: "train", evalKey: "eval", trainCount: 1, evalCount: 0, pairCount: 1, droppedCount: 0 };
  const facts = { digest: "d", acl: nobody, settings: {}, stats: {}, runId: null };
  await saveDatasetVersion(scope, { id: datasetVersionId, name: "documents", ...files, ...facts }, []);

  const losses = { long: [9, 8, 7, 6, 5, 4, 3, 2, 1, 0.5, 0.25, 0.125], short: [70, 60] };
  const runs = { long: randomUUID(), short: randomUUID() };
  for (const name of ["long", "short"] as const) {
    const facts = { runId: null, baseModel: "tiny", inputDigest: name, config: {} };
    await createTrainingRun(scope, { id: runs[name], datasetVersionId, ...facts });
    for (const [index, loss] of losses[name].entries()) {
      await saveTrainingMetric(scope, runs[name], { step: index + 1, at: new Date(), loss });
    }
  }
  const latest = await listLatestMetrics(scope, Object.values(runs));
  expect(latest.get(runs.short)).toMatchObject({ step: 2, firstLosses: [70, 60], newestLosses: [70, 60] });
  expect(latest.get(runs.long)).toMatchObject({
    firstLosses: losses.long.slice(0, 10),
    newestLosses: losses.long.slice(-10),
  });
});
