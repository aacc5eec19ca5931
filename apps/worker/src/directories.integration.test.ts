import { randomBytes, randomUUID } from "node:crypto";
import {
  createTeamsHarness,
  type TeamsHarness,
} from "@anneal/connectors/conformance/fake-microsoft/create-teams-harness";
import { directoriesScheduleId, directoryWorkflowId } from "@anneal/core/connect/contract";
import type { Scope } from "@anneal/db/database";
import { saveWorkspace } from "@anneal/db/queries/access";
import { deleteSource, getSource, saveSource } from "@anneal/db/queries/connect";
import { listHeldPrincipals } from "@anneal/db/queries/directory";
import { listSyncs } from "@anneal/db/queries/source-syncs";
import { createSecretBox } from "@anneal/db/secret-box";
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
afterEach(() => teams.close());

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

/** Fires the schedule and waits until every source of it was read, or could not be. */
async function fire(sourceIds: string[]): Promise<void> {
  const runs = new Map(
    await Promise.all(
      sourceIds.map(async (id) => {
        const before = await worker.client.workflow
          .getHandle(directoryWorkflowId(id))
          .describe()
          .then(({ runId }) => runId)
          .catch(() => null);
        return [id, before] as const;
      }),
    ),
  );
  await worker.client.schedule.getHandle(directoriesScheduleId).trigger();
  for (const [id, before] of runs) {
    const handle = worker.client.workflow.getHandle(directoryWorkflowId(id));
    await expect
      .poll(
        () =>
          handle
            .describe()
            .then(({ runId, status }) => (runId === before ? "not yet" : status.name))
            .catch(() => "not yet"),
        { timeout: 60_000 },
      )
      .toMatch(/COMPLETED|FAILED/u);
  }
}

it("who joins or leaves a group does so without a sync", async () => {
  const sourceId = await addTeams();
  await fire([sourceId]);
  expect([await isMember("ann"), await isMember("clerk")]).toEqual([true, true]);
  const first = await readAt(sourceId);
  expect(first).not.toBeNull();

  const { tenant } = teams.fake;
  tenant.groups.get("team")!.members = [tenant.users.get("ann")!.id];
  await fire([sourceId]);
  expect([await isMember("ann"), await isMember("clerk")]).toEqual([true, false]);
  expect((await readAt(sourceId))!.getTime()).toBeGreaterThan(first!.getTime());
  expect((await listSyncs(scope, sourceId, { limit: 5, offset: 0 })).total).toBe(0);
});

it("a source that cannot be read says so, keeps what was known, and is in no other's way", async () => {
  const broken = await addTeams();
  await fire([broken]);
  const read = await readAt(broken);
  await saveSource(scope, {
    ...(await getSource(scope, broken)),
    sealedSecrets: box.seal({ clientSecret: "wrong" }, broken),
  });
  const well = await addTeams();
  await fire([broken, well]);
  expect(await getSource(scope, broken)).toMatchObject({
    directoryReadAt: read,
    directoryError: { code: "SOURCE_CREDENTIALS" },
    lastSyncError: null,
  });
  expect(await getSource(scope, well)).toMatchObject({ directoryReadAt: expect.any(Date), directoryError: null });
  expect(await isMember("clerk")).toBe(true);
});

it("removed sources, and those whose permissions name nobody, are not asked", async () => {
  const removed = await addTeams();
  await deleteSource(scope, removed);
  const bucket = await addSource("s3", { bucket: "papers" }, {});
  const well = await addTeams();
  await fire([well]);
  for (const id of [removed, bucket])
    await expect(worker.client.workflow.getHandle(directoryWorkflowId(id)).describe()).rejects.toThrow();
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
