import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DefaultLogger, Runtime, Worker } from "@temporalio/worker";
import { beforeAll, describe, expect, it } from "vitest";
import { checkDeterminism, workflowsPath } from "./check-determinism.ts";
import { historiesDir, History } from "./record-histories.ts";

const files = readdirSync(historiesDir).filter((name) => name.endsWith(".json"));

async function readHistory(file: string) {
  const text = await readFile(join(historiesDir, file), "utf8");
  const recorded = JSON.parse(text) as { workflowId: string; history: Record<string, unknown> };
  return { workflowId: recorded.workflowId, history: History.fromObject(recorded.history) };
}

let code: string;
beforeAll(async () => {
  // A replay that fails says so by its error; the log would say it again.
  Runtime.install({
    logger: new DefaultLogger("ERROR", () => {}),
    telemetryOptions: { logging: { forward: {}, filter: "OFF" } },
  });
  code = (await checkDeterminism(workflowsPath)).code;
}, 60_000);

const replay = ({ workflowId, history }: Awaited<ReturnType<typeof readHistory>>) =>
  Worker.runReplayHistory({ workflowBundle: { code } }, history, workflowId);

describe("histories that were recorded on a real server", () => {
  // “…ByRetries”: before a sync waited for its source by a timer; “deployByRemoteRows”: before a deployment's rows were
  // written where its workflow runs. They go when no workflow of then can be running.
  it("are there for every workflow that ends", () => {
    const workflows = [
      "checkSource",
      "clean",
      "connect",
      "connectByRetries",
      "dataset",
      "dedupe",
      "deploy",
      "deployByRemoteRows",
      "deployStage",
      "indexing",
      "loop",
      "pushReaders",
      "readDirectories",
      "readDirectory",
      "register",
      "sync",
      "syncByRetries",
      "train",
    ];
    expect(files.toSorted()).toEqual(workflows.map((name) => `${name}.json`));
  });

  it.each(files)("replay with today's code: %s", async (file) => {
    await expect(replay(await readHistory(file))).resolves.toBeUndefined();
  });

  it("do not replay when the workflow does other work than it did then", async () => {
    const recorded = await readHistory("train.json");
    const scheduled = recorded.history.events.find((event) => event.activityTaskScheduledEventAttributes);
    scheduled!.activityTaskScheduledEventAttributes!.activityType!.name = "somethingElse";
    await expect(replay(recorded)).rejects.toMatchObject({ name: "DeterminismViolationError" });
  });
});
