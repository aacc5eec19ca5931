import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import {
  startFakeMicrosoft,
  type FakeMicrosoft,
} from "@anneal/connectors/conformance/fake-microsoft/start-fake-microsoft";
import { sharepointScopes } from "@anneal/connectors/microsoft/delegated-scopes";
import { grantUser } from "@anneal/connectors/conformance/fake-microsoft/fake-grants";
import type { FakeDrive } from "@anneal/connectors/conformance/fake-microsoft/fake-tenant";
import {
  checkWorkflowName,
  syncWorkflowId,
  syncWorkflowName,
  type CheckInput,
  type SyncInput,
} from "@anneal/core/connect/contract";
import { taskQueue } from "@anneal/core/loop/contract";
import type { Scope } from "@anneal/db/database";
import { saveWorkspace } from "@anneal/db/queries/access";
import { getSource, saveSource } from "@anneal/db/queries/sources";
import { countSourceDocuments } from "@anneal/db/queries/documents";
import { saveDraft } from "@anneal/db/queries/source-drafts";
import { createSecretBox } from "@anneal/db/secret-box";
import { openFolderStore } from "@anneal/objects/folder-store";
import type { WorkflowHandle } from "@temporalio/client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createCheckActivities } from "./activities/check-source.ts";
import { createConnectActivities } from "./activities/connect.ts";
import type { ObserveRemote } from "./remote-metrics.ts";
import { startTestWorker, type TestWorker } from "./test-worker.fixture.ts";

// A source that reads with an account's sign-in, by the real workflows on a real Temporal and a real database.

let worker: TestWorker;
let scope: Scope;
let sourceId: string;
let fake: FakeMicrosoft;
let drive: FakeDrive;
let config: Record<string, unknown>;

/** As what the calls are counted. */
const observed = new Set<string>();
const box = createSecretBox(randomBytes(32).toString("base64"));
/** Nothing here is in an index. */
const noPushes = { begin: async () => undefined, ensure: async () => undefined };

beforeAll(async () => {
  worker = await startTestWorker(({ test, database, python }) => {
    const connecting = {
      secretBox: box,
      chromiumPath: null,
      ownFolders: [],
      python,
      observeRemote: ((kind, of = "source") =>
        () =>
          void observed.add(`${of} of ${kind}`)) satisfies ObserveRemote,
    };
    return {
      ...createConnectActivities({
        database,
        objects: openFolderStore(join(test.dir, "objects")),
        readerPushes: noPushes,
        // A library of one file: what is deleted in it is meant.
        deletions: { maxShare: 1 },
        ...connecting,
      }),
      ...createCheckActivities({ db: database.db, ...connecting }),
    };
  });
});
afterAll(() => worker?.stop());

beforeEach(async () => {
  fake = await startFakeMicrosoft();
  // Whoever uses a refresh token a second time is refused: only what was stored last will do.
  fake.entra.refusesExchanged = true;
  const { tenant, entra } = fake;
  tenant.addUser("clerk");
  drive = tenant.addDrive("Documents");
  tenant.siteDriveIds.push(drive.id);
  tenant.put(drive, "plan.md", "The plan.");
  tenant.share(tenant.require(drive, "plan.md"), [grantUser(tenant, "clerk")]);
  config = {
    tenantId: tenant.id,
    clientId: tenant.clientId,
    permission: "delegated",
    siteUrl: "https://contoso.sharepoint.example/sites/team",
    graphUrl: fake.graphUrl,
    authorityUrl: fake.authorityUrl,
    allowPrivateHosts: true,
  };
  const { id: workspaceId } = await saveWorkspace(worker.test.db, { slug: randomUUID(), name: "Test" });
  scope = { db: worker.test.db, workspaceId };
  sourceId = randomUUID();
  await saveWith(entra.signIn("clerk", sharepointScopes));
});
afterEach(() => fake.stop());

const saveWith = (refreshToken: string) =>
  saveSource(scope, {
    id: sourceId,
    name: "Site",
    kind: "sharepoint",
    config,
    sealedSecrets: box.seal({ refreshToken, account: "clerk@contoso.example" }, sourceId),
    defaultAcl: { allow: [], deny: [] },
    schedule: null,
  });
const stored = async () => box.open((await getSource(scope, sourceId)).sealedSecrets!, sourceId).refreshToken;
const live = () => countSourceDocuments(scope, [sourceId]);

async function start(name: string, workflowId: string, input: SyncInput | CheckInput) {
  return worker.client.workflow.start(name, { workflowId, taskQueue, args: [input] });
}
const sync = () =>
  start(syncWorkflowName, `${syncWorkflowId(sourceId)}-${randomUUID()}`, {
    workspaceId: scope.workspaceId,
    sourceId,
    confirmDeletions: false,
    startedBy: "ada@example.com",
  });
/** Payloads are bytes: all of them, read as text. */
async function historyOf(handle: WorkflowHandle): Promise<string> {
  const { events } = await handle.fetchHistory();
  const payloads = JSON.stringify(events).match(/"data":"([A-Za-z0-9+/=]*)"/g) ?? [];
  const opened = payloads.map((each) => Buffer.from(each.slice('"data":"'.length, -1), "base64").toString());
  return [JSON.stringify(events), ...opened].join("\n");
}

describe("a source that reads with a person's sign-in", () => {
  it("goes on with the renewed sign-in from sync to sync, which no history has", async () => {
    const tokens = [await stored()];
    for (let count = 1; count <= 3; count += 1) {
      fake.tenant.put(drive, `more-${count}.md`, "More.");
      fake.tenant.share(fake.tenant.require(drive, `more-${count}.md`), [grantUser(fake.tenant, "clerk")]);
      const handle = await sync();
      await handle.result();
      expect(await live()).toBe(1 + count);
      tokens.push(await stored());
      const history = await historyOf(handle);
      expect(history).toContain(sourceId);
      expect(history).not.toContain("refresh-");
    }
    expect(new Set(tokens).size).toBe(4);
  });

  it("renews it when it is tried, for itself and for a change of it that is not saved yet", async () => {
    const check = async (of: CheckInput["of"]) => {
      const handle = await start(checkWorkflowName, `check-${randomUUID()}`, { workspaceId: scope.workspaceId, of });
      expect(await handle.result()).toMatchObject({ status: "ok" });
      expect(await historyOf(handle)).not.toContain("refresh-");
    };
    observed.clear();
    await check({ sourceId });
    expect([...observed]).toEqual(["source of sharepoint"]);
    const sealedSecrets = (await getSource(scope, sourceId)).sealedSecrets;
    const draft = { id: randomUUID(), kind: "sharepoint", config, sealedSecrets, sealedFor: sourceId };
    await saveDraft(scope, draft);
    observed.clear();
    await check({ draftId: draft.id });
    expect([...observed]).toEqual(["draft of sharepoint"]);
    await check({ sourceId });
    expect(fake.entra.exchanges).toBeGreaterThanOrEqual(3);
  });

  it("says what to do once it was revoked, deletes nothing, and reads again after another sign-in", async () => {
    await (await sync()).result();
    fake.entra.endGrants("revoked");
    fake.tenant.remove(drive, "plan.md");
    const handle = await sync();
    await expect(handle.result()).rejects.toThrow();
    expect((await getSource(scope, sourceId)).lastSyncError).toMatchObject({
      code: "SOURCE_CREDENTIALS",
      action: expect.stringMatching(/^Sign in again/) as string,
    });
    expect(await live()).toBe(1);
    expect(await historyOf(handle)).not.toContain("refresh-");
    await saveWith(fake.entra.signIn("clerk", sharepointScopes));
    await (await sync()).result();
    expect(await live()).toBe(0);
    expect((await getSource(scope, sourceId)).lastSyncError).toBeNull();
  });
});
