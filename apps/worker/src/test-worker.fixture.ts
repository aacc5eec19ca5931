import { join } from "node:path";
import { openDatabase, type DatabaseHandle } from "@anneal/db/database";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { locatePython } from "@anneal/local-stack/python-env";
import { startTemporal } from "@anneal/local-stack/start-temporal";
import { directoryQueue } from "@anneal/core/connect/contract";
import { taskQueue } from "@anneal/core/loop/contract";
import type { PythonRuntime } from "@anneal/connectors/python-runtime";
import { choosePort } from "@anneal/processes/choose-port";
import { Client, Connection } from "@temporalio/client";
import { DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import { workflowsPath } from "./check-determinism.ts";
import { withFailures } from "./error-map.ts";

/** `test.db` sees every workspace; `database` is what the worker has. */
type Parts = { test: TestDatabase; database: DatabaseHandle; python: PythonRuntime };
export type TestWorker = Parts & { client: Client; stop(): Promise<void> };

/** The real workflows on a real Temporal and a real database, with the activities that a test is about. */
export async function startTestWorker(
  createActivities: (parts: Parts) => Parameters<typeof withFailures>[0],
): Promise<TestWorker> {
  const test = await startTestDatabase();
  const database = openDatabase(test.appUrl);
  const { python, temporal: binary } = locatePython(process.env);
  const parts = { test, database, python: { python, pythonPath: undefined } };
  const port = await choosePort(undefined);
  const temporal = await startTemporal({
    env: process.env,
    binary,
    dir: join(test.dir, "temporal"),
    logFile: join(test.dir, "temporal.log"),
    port,
    httpPort: await choosePort(undefined, new Set([port])),
    namespace: "default",
  });
  Runtime.install({
    logger: new DefaultLogger("ERROR", () => {}),
    telemetryOptions: { logging: { forward: {}, filter: "OFF" } },
  });
  const connection = await Connection.connect({ address: temporal.url });
  const native = await NativeConnection.connect({ address: temporal.url });
  const activities = withFailures(createActivities(parts));
  const workers = [
    await Worker.create({ connection: native, taskQueue, workflowsPath, activities }),
    await Worker.create({ connection: native, taskQueue: directoryQueue, activities }),
  ];
  const running = Promise.all(workers.map((worker) => worker.run()));
  return {
    ...parts,
    client: new Client({ connection }),
    async stop() {
      for (const worker of workers) worker.shutdown();
      await running;
      for (const each of [connection, native]) await each.close();
      await temporal.stop();
      await database.close();
      await test.stop();
    },
  };
}
