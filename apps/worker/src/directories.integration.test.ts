import { randomBytes, randomUUID } from "node:crypto";
import {
  createTeamsHarness,
  type TeamsHarness,
} from "@anneal/connectors/conformance/fake-microsoft/create-teams-harness";
import { directoriesScheduleId } from "@anneal/core/connect/contract";
import type { Scope } from "@anneal/db/database";
import { saveWorkspace } from "@anneal/db/queries/access";
import { deleteSource, getSource, listSources, saveSource } from "@anneal/db/queries/sources";
import { listHeldPrincipals } from "@anneal/db/queries/directory";
import { listSyncs } from "@anneal/db/queries/source-syncs";
import { createSecretBox } from "@anneal/db/secret-box";
import type { WorkflowHandle } from "@temporalio/client";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { createDirectoryActivities } from "./activities/directories.ts";
import { ensureDirectorySchedule } from "./drivers/directory-schedule.ts";
import { startTestWorker, type TestWorker } from "./test-worker.fixture.ts";

// Who is in which group, read by its own schedule on a real Temporal: no sync is begun by anything here.

let worker: TestWorker;
let scope: Scope;
let teams: TeamsHarness;
const box = createSecretBox(randomBytes(32).toString("base64"));

beforeAll(async () => {
  worker = await startTestWorker(({ database, python }) =>
    createDirectoryActivities({
      database,
      secretBox: box,
      chromiumPath: null,
      ownFolders: [],
      python,
      observeRemote: () => () => undefined,
      spreadMs: 0,
    }),
  );
  // No firing but those that a test asks for.
  await ensureDirectorySchedule(worker.client, 7 * 24 * 60);
});
afterAll(() => worker?.stop());

beforeEach(async () => {
  const { id: workspaceId } = await saveWorkspace(worker.test.db, { slug: randomUUID(), name: "Test" });
  scope = { db: worker.test.db, workspaceId };
  teams = await createTeamsHarness();
  const { tenant } = teams.fake;
  const members = [tenant.users.get("ann")!.id, tenant.addUser("clerk").id];
  tenant.groups.set("team", {
    id: teams.teamId,
    displayName: "Team",
    groupTypes: ["Unified"],
    members,
    owners: [],
  });
});
afterEach(async () => {
  // The schedule reads the sources of every workspace.
  for (const { id } of await listSources(scope)) await deleteSource(scope, id);
  await teams.close();
});

async function addSource(kind: string, config: Record<string, unknown>, secrets: Record<string, string>) {
  const id = randomUUID();
  const sealedSecrets = box.seal(secrets, id);
  const defaultAcl = { allow: [], deny: [] };
  await saveSource(scope, { id, name: id, kind, config, sealedSecrets, defaultAcl, schedule: null });
  return id;
}
const addTeams = () =>
  addSource(
    "teams",
    teams.config,
    Object.fromEntries(Object.entries(teams.secrets).filter((entry): entry is [string, string] => !!entry[1])),
  );
const isMember = async (name: string) =>
  (await listHeldPrincipals(scope, `${name}@contoso.example`)).some(({ id }) => id === teams.teamId);
const readAt = async (sourceId: string) => (await getSource(scope, sourceId)).directoryReadAt;

/** Fires the schedule. @returns the readings that it began, by their source */
async function trigger(): Promise<Map<string, WorkflowHandle>> {
  const { workflow, schedule } = worker.client;
  const handle = schedule.getHandle(directoriesScheduleId);
  const before = (await handle.describe()).info.numActionsTaken;
  await handle.trigger();
  await expect
    .poll(async () => (await handle.describe()).info.numActionsTaken, { timeout: 60_000 })
    .toBeGreaterThan(before);
  const { workflowId, firstExecutionRunId } = (await handle.describe()).info.recentActions.at(-1)!.action.workflow;
  const firing = workflow.getHandle(workflowId, firstExecutionRunId);
  await firing.result();
  const { events } = await firing.fetchHistory();
  return new Map(
    events!.flatMap(({ childWorkflowExecutionStartedEventAttributes: child }) => {
      const begun = child?.workflowExecution;
      if (!begun?.workflowId) return [];
      return [[begun.workflowId.replace("directory-", ""), workflow.getHandle(begun.workflowId, begun.runId!)]];
    }),
  );
}

/** Fires the schedule and waits until all that it began has ended, however. @returns whose directories it read */
async function fire(): Promise<string[]> {
  const begun = await trigger();
  for (const reading of begun.values()) await reading.result().catch(() => undefined);
  return [...begun.keys()];
}

it("who joins or leaves a group does so without a sync", async () => {
  const sourceId = await addTeams();
  await fire();
  expect([await isMember("ann"), await isMember("clerk")]).toEqual([true, true]);
  const first = await readAt(sourceId);
  expect(first).not.toBeNull();

  const { tenant } = teams.fake;
  tenant.groups.get("team")!.members = [tenant.users.get("ann")!.id];
  await fire();
  expect([await isMember("ann"), await isMember("clerk")]).toEqual([true, false]);
  expect((await readAt(sourceId))!.getTime()).toBeGreaterThan(first!.getTime());
  expect((await listSyncs(scope, sourceId, { limit: 5, offset: 0 })).total).toBe(0);
});

it("a source that cannot be read says so, keeps what was known, and is in no other's way", async () => {
  const broken = await addTeams();
  await fire();
  const read = await readAt(broken);
  const change = (secret: string) => ({ sealedSecrets: box.seal({ clientSecret: secret }, broken) });
  await saveSource(scope, { ...(await getSource(scope, broken)), ...change("wrong") });
  const well = await addTeams();
  await fire();
  expect(await getSource(scope, broken)).toMatchObject({
    directoryReadAt: read,
    directoryError: { code: "SOURCE_CREDENTIALS" },
    lastSyncError: null,
  });
  expect(await getSource(scope, well)).toMatchObject({ directoryReadAt: expect.any(Date), directoryError: null });
  expect(await isMember("clerk")).toBe(true);

  // What was refused is not sent again until there is something else to send.
  expect(await fire()).toEqual([well]);
  await saveSource(scope, { ...(await getSource(scope, broken)), ...change("other") });
  expect((await fire()).toSorted()).toEqual([broken, well].toSorted());
});

it("only sources whose permissions name people are asked, of kinds that this release knows, and not once removed", async () => {
  const removed = await addTeams();
  await deleteSource(scope, removed);
  await addSource("s3", { bucket: "papers" }, {});
  await addSource("acme-wiki", {}, {});
  const well = await addTeams();
  expect(await fire()).toEqual([well]);
});

it("a source that somebody reads already is left to them", async () => {
  const sourceId = await addTeams();
  const lock = await worker.database.tryLock(`directory:${sourceId}`);
  try {
    expect(await fire()).toEqual([sourceId]);
    expect(await readAt(sourceId)).toBeNull();
  } finally {
    await lock!.release();
  }
  await fire();
  expect(await readAt(sourceId)).not.toBeNull();
});

it("a source that wants to be left alone is asked nothing by later firings", async () => {
  const sourceId = await addTeams();
  const { trouble } = teams.remote!;
  trouble.begin({ kind: "busy", from: 0, count: 1_000, waitSeconds: 3_600 });
  const reading = (await trigger()).get(sourceId)!;
  await expect
    .poll(async () => (await reading.fetchHistory()).events!.some((event) => event.timerStartedEventAttributes), {
      timeout: 60_000,
    })
    .toBe(true);
  const { asked } = trouble;
  expect(asked).toBeGreaterThan(0);
  expect(await fire()).toEqual([]);
  expect(trouble.asked).toBe(asked);
  // Nothing is wrong with it.
  expect(await getSource(scope, sourceId)).toMatchObject({ directoryReadAt: null, directoryError: null });
  await reading.terminate();
});

it("is scheduled once, and as often as the last start of a worker wants it", async () => {
  const handle = worker.client.schedule.getHandle(directoriesScheduleId);
  const describe = async () => {
    const { spec, state } = await handle.describe();
    return { every: spec.intervals?.map(({ every }) => every), paused: state.paused };
  };
  await ensureDirectorySchedule(worker.client, 24 * 60);
  expect(await describe()).toEqual({ every: [24 * 60 * 60_000], paused: false });
  // Whoever paused it in Temporal meant it.
  await handle.pause("for a while");
  await ensureDirectorySchedule(worker.client, 7 * 24 * 60);
  expect(await describe()).toEqual({ every: [7 * 24 * 60 * 60_000], paused: true });
  await handle.unpause();
});
