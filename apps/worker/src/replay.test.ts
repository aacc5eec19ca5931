import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DefaultLogger, DeterminismViolationError, Runtime, Worker } from "@temporalio/worker";
import { beforeAll, describe, expect, it } from "vitest";
import { checkDeterminism, workflowsPath } from "./check-determinism.ts";
import { historiesDir } from "./record-histories.ts";

type History = { events: { eventType: string; activityTaskScheduledEventAttributes?: { activityType: { name: string } } }[] };

const files = readdirSync(historiesDir).filter((name) => name.endsWith(".json"));
const readHistory = async (file: string) => JSON.parse(await readFile(join(historiesDir, file), "utf8")) as History;

let code: string;
beforeAll(async () => {
  // A replay that fails says so by its error; the log would say it again.
  Runtime.install({ logger: new DefaultLogger("ERROR", () => {}), telemetryOptions: { logging: { forward: {}, filter: "OFF" } } });
  code = (await checkDeterminism(workflowsPath)).code;
}, 60_000);

const replay = (history: History) => Worker.runReplayHistory({ workflowBundle: { code } }, history);

describe("histories that were recorded on a real server", () => {
  it("are there for every workflow that ends", () => {
    const workflows = ["clean", "connect", "dataset", "dedupe", "deploy", "deployStage", "indexing", "loop", "register", "train"];
    expect(files.toSorted()).toEqual(workflows.map((name) => `${name}.json`));
  });

  it.each(files)("replay with today's code: %s", async (file) => {
    await replay(await readHistory(file));
  });

  it("do not replay when the workflow does other work than it did then", async () => {
    const history = await readHistory("train.json");
    const scheduled = history.events.find((event) => event.activityTaskScheduledEventAttributes !== undefined);
    scheduled!.activityTaskScheduledEventAttributes!.activityType.name = "somethingElse";
    await expect(replay(history)).rejects.toThrow(DeterminismViolationError);
  });
});
