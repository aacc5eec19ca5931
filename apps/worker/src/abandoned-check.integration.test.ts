import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { checkWorkflowName, type CheckInput } from "@anneal/core/connect/contract";
import { taskQueue } from "@anneal/core/loop/contract";
import { openDatabase, type Database } from "@anneal/db/database";
import { saveWorkspace } from "@anneal/db/queries/access";
import { saveDraft } from "@anneal/db/queries/source-drafts";
import { createSecretBox } from "@anneal/db/secret-box";
import { startTestDatabase } from "@anneal/db/testing/start-test-database";
import { locatePython } from "@anneal/local-stack/python-env";
import { startTemporal } from "@anneal/local-stack/start-temporal";
import { choosePort } from "@anneal/processes/choose-port";
import { Client, Connection } from "@temporalio/client";
import { DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import { afterEach, expect, it } from "vitest";
import { createCheckActivities } from "./activities/check-source.ts";
import { workflowsPath } from "./check-determinism.ts";
import { withFailures } from "./error-map.ts";

// A form that is typed on tries what it holds, and gives up what it tried before: the source must not be asked any more.

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

it("a check that nobody waits for lets go of the source at once", async () => {
  const test = await startTestDatabase();
  cleanups.push(() => test.stop());
  const database = openDatabase(test.appUrl);
  cleanups.push(() => database.close());
  const temporal = await startTestTemporal(test.dir);
  cleanups.push(() => temporal.stop());
  const connection = await Connection.connect({ address: temporal.url });
  cleanups.push(() => connection.close());
  const native = await NativeConnection.connect({ address: temporal.url });
  cleanups.push(() => native.close());

  const service = createServer(() => undefined).listen(0, "127.0.0.1");
  cleanups.push(() => service.close());
  cleanups.push(() => service.closeAllConnections());
  await once(service, "listening");
  const heard = once(service, "request");
  const left = once(service, "connection").then(([socket]) => once(socket as Socket, "close"));

  const { checkSource } = createCheckActivities({
    db: database.db,
    secretBox: createSecretBox(randomBytes(32).toString("base64")),
    chromiumPath: null,
    ownFolders: [],
    python: { python: locatePython(process.env).python, pythonPath: undefined },
    observeRemote: () => () => undefined,
  });
  const ended = Promise.withResolvers<"answered" | "given up">();
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowsPath,
    activities: withFailures({
      async checkSource(given: CheckInput) {
        try {
          const outcome = await checkSource(given);
          ended.resolve("answered");
          return outcome;
        } catch (error) {
          ended.resolve("given up");
          throw error;
        }
      },
    }),
  });
  const input = await saveTrial(test.db, `http://127.0.0.1:${(service.address() as AddressInfo).port}`);
  await worker.runUntil(async () => {
    const handle = await new Client({ connection }).workflow.start(checkWorkflowName, {
      workflowId: `check-${randomUUID()}`,
      taskQueue,
      args: [input],
    });
    await heard;
    await handle.cancel();
    await left;
    // Rather than to have waited for the answer until it was too late for one.
    expect(await ended.promise).toBe("given up");
  });
});

async function startTestTemporal(dir: string) {
  const port = await choosePort(undefined);
  Runtime.install({
    logger: new DefaultLogger("ERROR", () => {}),
    telemetryOptions: { logging: { forward: {}, filter: "OFF" } },
  });
  return startTemporal({
    env: process.env,
    binary: locatePython(process.env).temporal,
    dir: join(dir, "temporal"),
    logFile: join(dir, "temporal.log"),
    port,
    httpPort: await choosePort(undefined, new Set([port])),
    namespace: "default",
  });
}

/** A service that is tried as the form of a new source tries it. */
async function saveTrial(db: Database, url: string): Promise<CheckInput> {
  const { id: workspaceId } = await saveWorkspace(db, { slug: randomUUID(), name: "Test" });
  const draftId = randomUUID();
  const config = { url, id: "id", allowPrivateHosts: true };
  const credentials = { sealedSecrets: null, sealedFor: draftId };
  await saveDraft({ db, workspaceId }, { id: draftId, kind: "rest", config, ...credentials });
  return { workspaceId, of: { draftId } };
}
