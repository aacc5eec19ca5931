import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase, type DatabaseHandle, type Scope } from "@anneal/db/database";
import { migrateDatabase } from "@anneal/db/migrate";
import { saveWorkspace } from "@anneal/db/queries/access";
import { getAssistant, saveAssistant, saveManagedSettings } from "@anneal/db/queries/chat";
import { saveCollection } from "@anneal/db/queries/indexing";
import { choosePort } from "@anneal/local-stack/choose-port";
import { startPostgres, type PostgresService } from "@anneal/local-stack/start-postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ensureAssistant } from "./ensure-assistant.ts";

let dir: string;
let postgres: PostgresService;
let database: DatabaseHandle;
let scope: Scope;
let collectionId: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "anneal-assistant-"));
  await chmod(dir, 0o755);
  postgres = await startPostgres({
    env: process.env,
    dir: join(dir, "postgres"),
    port: await choosePort(undefined),
    logFile: join(dir, "postgres.log"),
    ownerPassword: "owner",
    appPassword: "app",
    stackId: dir.slice(-6),
  });
  await migrateDatabase(postgres.ownerUrl, "anneal_app");
  database = openDatabase(postgres.appUrl);
  const { id } = await saveWorkspace(database.db, { slug: "default", name: "Default" });
  scope = { db: database.db, workspaceId: id };
  collectionId = (await saveCollection(scope, { embeddingModel: "m", dimensions: 2, settings: {} })).id;
});

afterAll(async () => {
  await database?.close();
  await postgres?.stop();
  await rm(dir, { recursive: true, force: true });
});

const [first, second] = [randomUUID(), randomUUID()];
const run = (assistantName: string, sourceIds: string[] | null) =>
  ensureAssistant(scope, { assistantName, adapterName: "support", alias: "production", sourceIds }, collectionId);
const sourcesOf = async ({ id }: { id: string }) => (await getAssistant(scope, id)).settings["sourceIds"];

it("lets the assistant of several runs read the sources of all of them, and every source after a run of all", async () => {
  const assistant = await run("helpdesk", [first]);
  expect(await sourcesOf(assistant)).toEqual([first]);
  expect((await run("helpdesk", [second])).id).toBe(assistant.id);
  expect(await sourcesOf(assistant)).toEqual([first, second]);
  await run("helpdesk", [first]);
  expect(await sourcesOf(assistant)).toEqual([first, second]);
  await run("helpdesk", null);
  expect(await sourcesOf(assistant)).toBeUndefined();
});

it("leaves the sources that a person chose, also when they are saved while a run ends", async () => {
  const assistant = await getAssistant(scope, (await run("limited", [first])).id);
  await saveAssistant(scope, { ...assistant, settings: { sourceIds: [first] } });
  await run("limited", [second]);
  await run("limited", null);
  await saveManagedSettings(scope, assistant.id, { managedByRuns: true });
  expect((await getAssistant(scope, assistant.id)).settings).toEqual({ sourceIds: [first] });
});
