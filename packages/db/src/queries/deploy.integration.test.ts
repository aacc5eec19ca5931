import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createVersion } from "../../testing/adapter-fixture.ts";
import { refusalOf } from "../../testing/refusal-of.ts";
import { addWorkspace } from "../../testing/source-fixture.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import { inWorkspace, openDatabase, type DatabaseHandle, type Scope } from "../database.ts";
import {
  abandonDeployment,
  createDeployment,
  flipAlias,
  getDeployment,
  listAliasHistory,
  listCurrentAliases,
  listRunningDeployments,
  recordDeployStep,
  releaseUnusedServingName,
  updateDeployment,
} from "./deploy.ts";
import { listResidencies, readAliasEpoch, removeResidency, saveReplica, saveResidency } from "./serving.ts";
import { aliasHistory } from "../schema.ts";

let test: TestDatabase;
/** The schema's owner, a superuser, who may delete what the apps may not. */
let owner: DatabaseHandle;
let scope: Scope;

beforeAll(async () => {
  test = await startTestDatabase();
  owner = openDatabase(test.ownerUrl);
});
afterAll(async () => {
  await owner?.close();
  await test?.stop();
});
beforeEach(async () => {
  scope = await addWorkspace(test.db);
});

describe("an alias", () => {
  async function flipTo({ adapter, version }: Awaited<ReturnType<typeof createVersion>>, deploymentId: string) {
    const servingName = `support-${version.digest}`;
    await createDeployment(scope, {
      id: deploymentId,
      adapterVersionId: version.id,
      workflowId: `deploy-${deploymentId}`,
      alias: "production",
      servingName,
      by: "ada",
    });
    const adapterVersionId = version.id;
    return flipAlias(scope, {
      adapterId: adapter.id,
      alias: "production",
      adapterVersionId,
      servingName,
      deploymentId,
      by: "ada",
    });
  }

  it("numbers versions by digest: an equal one is the one that exists", async () => {
    const [one, again, two] = [
      await createVersion(scope, "aa"),
      await createVersion(scope, "aa"),
      await createVersion(scope, "bb"),
    ];
    expect(one.created && !again.created && two.created).toBe(true);
    expect(again.version.id).toBe(one.version.id);
    expect([one.version.version, two.version.version]).toEqual([1, 2]);
  });

  it("records a deployment's steps one by one, and none after its end", async () => {
    const deploymentId = randomUUID();
    await flipTo(await createVersion(scope, "aa"), deploymentId);
    const engine = { url: "http://one", status: "done" as const, durationMs: 3, detail: null };
    const load = { step: "load" as const, status: "done" as const, durationMs: 4, detail: null, replicas: [engine] };
    const probe = { step: "probe" as const, status: "running" as const, durationMs: null, detail: null };
    // At once, as the engines of one step report.
    await Promise.all([recordDeployStep(scope, deploymentId, load), recordDeployStep(scope, deploymentId, probe)]);
    const running = await getDeployment(scope, deploymentId);
    expect(running.steps.slice(0, 2)).toEqual([load, probe]);
    expect(running.steps.slice(2).map(({ status }) => status)).toEqual(["waiting", "waiting", "waiting"]);

    await updateDeployment(scope, deploymentId, { status: "done" });
    await recordDeployStep(scope, deploymentId, { ...probe, detail: "late" });
    expect((await getDeployment(scope, deploymentId)).steps).toEqual(running.steps);
  });

  it("abandons a deployment only while it runs, and gives back only what no alias serves", async () => {
    const replica = await saveReplica(test.db, { url: `http://${randomUUID()}`, baseModel: "tiny" });
    const held = async (servingName: string) => {
      const residency = {
        replicaId: replica.id,
        servingName,
        objectPrefix: "adapters/x",
        workspaceId: scope.workspaceId,
      };
      await saveResidency(test.db, { ...residency, desired: "resident", observed: "resident" });
    };
    const wantedOn = async () =>
      Object.fromEntries((await listResidencies(test.db, replica.id)).map((each) => [each.servingName, each.desired]));
    const error = { code: "CANCELLED" as const, message: "Ada abandoned it.", action: "Deploy again." };
    const [served, ended, loaded] = [randomUUID(), randomUUID(), randomUUID()];
    const one = await createVersion(scope, "aa");
    await flipTo(one, served);
    await flipTo(one, ended);
    await updateDeployment(scope, ended, { status: "done" });
    const { version } = await createVersion(scope, "bb");
    const deployment = { adapterVersionId: version.id, workflowId: "gone", alias: "production", by: "ada" };
    await createDeployment(scope, { id: loaded, servingName: "support-bb", ...deployment });
    await held("support-aa");
    await held("support-bb");
    expect((await listRunningDeployments(scope, one.adapter.id, "production")).map(({ id }) => id).toSorted()).toEqual(
      [served, loaded].toSorted(),
    );

    for (const id of [served, ended, loaded])
      expect(await abandonDeployment(scope, await getDeployment(scope, id), error)).toBe(id !== ended);
    expect(await listRunningDeployments(scope, one.adapter.id, "production")).toEqual([]);
    expect(await getDeployment(scope, loaded)).toMatchObject({ status: "failed", error });
    expect((await getDeployment(scope, ended)).status).toBe("done");
    expect(await wantedOn()).toEqual({ "support-aa": "resident", "support-bb": "absent" });
  });

  it("flips once per deployment, however often the step is repeated", async () => {
    const [one, two] = [await createVersion(scope, "aa"), await createVersion(scope, "bb")];
    await flipTo(one, randomUUID());
    const deploymentId = randomUUID();
    const results = await Promise.all([
      flipTo(two, deploymentId),
      flipTo(two, deploymentId),
      flipTo(two, deploymentId),
    ]);
    expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
    expect(results[0]?.previousServingName).toBe("support-aa");
    expect(await listAliasHistory(scope, one.adapter.id)).toHaveLength(2);
    expect((await listCurrentAliases(scope))[0]).toMatchObject({ servingName: "support-bb", adapterName: "support" });
    expect(await readAliasEpoch(test.db)).toBeGreaterThanOrEqual(results[0]!.epoch);
  });

  it("is flipped again by a deployment that is retried after a rollback, and not by one that has ended", async () => {
    const [one, two] = [await createVersion(scope, "aa"), await createVersion(scope, "bb")];
    const retried = randomUUID();
    await flipTo(one, randomUUID());
    const first = await flipTo(two, retried);
    await flipTo(one, randomUUID());
    const again = await flipTo(two, retried);
    expect(again).toMatchObject({ previousServingName: "support-aa" });
    expect(again.epoch).toBeGreaterThan(first.epoch);
    expect((await listCurrentAliases(scope))[0]?.servingName).toBe("support-bb");

    await flipTo(one, randomUUID());
    await updateDeployment(scope, retried, { status: "failed" });
    const late = { adapterId: two.adapter.id, alias: "production", adapterVersionId: two.version.id, by: "ada" };
    const flip = flipAlias(scope, { ...late, servingName: "support-bb", deploymentId: retried });
    await expect(flip).rejects.toMatchObject({ code: "CONFLICT" });
    expect((await listCurrentAliases(scope))[0]?.servingName).toBe("support-aa");
  });

  it("holds its serving name for all workspaces, as a running deployment does, and nobody holds it afterwards", async () => {
    const [mine, other] = [scope, await addWorkspace(test.db)];
    const digest = randomUUID();
    const servingName = `support-${digest}`;
    const replica = await saveReplica(test.db, { url: `http://${randomUUID()}`, baseModel: "tiny" });
    const residency = { replicaId: replica.id, servingName, objectPrefix: "adapters/x", workspaceId: mine.workspaceId };
    await saveResidency(test.db, { ...residency, desired: "resident", observed: "resident" });
    const release = () => releaseUnusedServingName(mine, servingName);

    scope = other;
    const deploymentId = randomUUID();
    const theirs = await createVersion(scope, digest);
    const staged = { adapterVersionId: theirs.version.id, workflowId: "w", alias: "staging", servingName, by: "ada" };
    await createDeployment(scope, { id: deploymentId, ...staged });
    expect(await release()).toBe(false);
    await updateDeployment(scope, deploymentId, { status: "failed" });
    const flipped = randomUUID();
    await flipTo(theirs, flipped);
    await updateDeployment(scope, flipped, { status: "done" });
    expect(await release()).toBe(false);
    expect((await listResidencies(test.db, replica.id))[0]?.desired).toBe("resident");
    await flipTo(await createVersion(scope, "cc"), randomUUID());
    expect(await release()).toBe(true);
    expect((await listResidencies(test.db, replica.id))[0]?.desired).toBe("absent");

    // Looking into other workspaces leaves the caller in its own.
    const seen = await inWorkspace(mine, async (tx) => {
      await tx.execute(sql`select serving_name_in_use(${servingName})`);
      return (await tx.execute(sql`select current_setting('app.workspace_id') as id`)).rows;
    });
    expect(seen).toEqual([{ id: mine.workspaceId }]);
  });

  it("is safe from an unloading that was decided before somebody wanted the name again", async () => {
    const replica = await saveReplica(test.db, { url: `http://${randomUUID()}`, baseModel: "tiny" });
    const held = { replicaId: replica.id, servingName: "support-x", objectPrefix: "x", workspaceId: scope.workspaceId };
    await saveResidency(test.db, { ...held, desired: "absent", observed: "resident" });
    const order: string[] = [];
    let loading: Promise<unknown> | undefined;
    await removeResidency(test.db, replica.id, "support-x", async () => {
      order.push("unload");
      loading = saveResidency(test.db, { ...held, desired: "resident", observed: "loading" }).then(() =>
        order.push("load"),
      );
      // Round trips of their own: time enough for a load that would not wait.
      for (let trip = 0; trip < 20; trip += 1) await listResidencies(test.db, replica.id);
      order.push("unloaded");
    });
    await loading;
    expect(order).toEqual(["unload", "unloaded", "load"]);
    await removeResidency(test.db, replica.id, "support-x", async () => void order.push("unload again"));
    expect(order).not.toContain("unload again");
    expect(await listResidencies(test.db, replica.id)).toMatchObject([{ desired: "resident" }]);
  });

  it("keeps its history: the apps can neither change nor delete an entry", async () => {
    await flipTo(await createVersion(scope, "aa"), randomUUID());
    const change = inWorkspace(scope, (tx) => tx.update(aliasHistory).set({ by: "nobody" }));
    expect(await refusalOf(change)).toMatch(/permission denied|append-only/);
    expect(await refusalOf(inWorkspace(scope, (tx) => tx.delete(aliasHistory)))).toMatch(
      /permission denied|append-only/,
    );
    expect(await listCurrentAliases(scope)).toHaveLength(1);
  });

  it("goes with its workspace as a whole", async () => {
    await flipTo(await createVersion(scope, "aa"), randomUUID());
    await owner.pool.query("delete from workspaces where id = $1", [scope.workspaceId]);
    expect(await listCurrentAliases(scope)).toEqual([]);
  });
});
