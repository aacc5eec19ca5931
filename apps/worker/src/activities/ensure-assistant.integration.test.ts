import { randomUUID } from "node:crypto";
import type { RunPurpose } from "@anneal/core/loop/settings";
import type { Scope } from "@anneal/db/database";
import { saveWorkspace } from "@anneal/db/queries/access";
import { getAssistant, saveAssistant, saveManagedAssistant } from "@anneal/db/queries/chat";
import { saveCollection } from "@anneal/db/queries/indexing";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ensureAssistant } from "./ensure-assistant.ts";

let database: TestDatabase;
let scope: Scope;
let collectionId: string;

beforeAll(async () => {
  database = await startTestDatabase();
  const { id } = await saveWorkspace(database.db, { slug: "default", name: "Default" });
  scope = { db: database.db, workspaceId: id };
  collectionId = (await saveCollection(scope, { embeddingModel: "m", dimensions: 2, settings: {} })).id;
});

afterAll(() => database?.stop());

const [first, second] = [randomUUID(), randomUUID()];
const names = { adapterName: "support", alias: "production" };
const run = (assistantName: string, sourceIds: string[] | null, purpose: RunPurpose = "everything") =>
  ensureAssistant(scope, { purpose, assistantName, ...names, sourceIds }, collectionId);
const modelOf = async ({ id }: { id: string }) => (await getAssistant(scope, id)).model;
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
  await saveManagedAssistant(scope, assistant.id, { model: "support@production", settings: { managedByRuns: true } });
  expect((await getAssistant(scope, assistant.id)).settings).toEqual({ sourceIds: [first] });
});

it("answers with the base model after a run that trained nothing, with the adapter after one that did, and keeps it", async () => {
  const assistant = await run("new", [first], "search");
  expect(await modelOf(assistant)).toBe("base");
  await run("new", [second], "search");
  expect(await modelOf(assistant)).toBe("base");
  expect(await sourcesOf(assistant)).toEqual([first, second]);
  await run("new", [first]);
  expect(await modelOf(assistant)).toBe("support@production");
  await run("new", null, "search");
  expect(await modelOf(assistant)).toBe("support@production");
  expect(await sourcesOf(assistant)).toBeUndefined();
});

it("leaves the base model where a person chose it", async () => {
  const assistant = await getAssistant(scope, (await run("plain", null)).id);
  await saveAssistant(scope, { ...assistant, model: "base", settings: {} });
  await run("plain", null);
  expect(await modelOf(assistant)).toBe("base");
});
