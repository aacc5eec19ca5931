import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { TRPCError } from "@trpc/server";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { nobody, principalKey, workspaceMembers, type Acl } from "@anneal/core/access/acl";
import { aclPayload, type ChunkPayload } from "@anneal/core/indexing/payload";
import type { RetrievalQuery } from "@anneal/core/indexing/retrieval-query";
import { runReportSchema, type RunSummary, type Stage } from "@anneal/core/loop/contract";
import { generateApiKey } from "@anneal/db/api-key";
import type { Scope } from "@anneal/db/database";
import { addModelGrant, createApiKey, listGrantedResources, listMembers } from "@anneal/db/queries/access";
import { listAuditEvents } from "@anneal/db/queries/audit";
import { deleteSource, saveSource } from "@anneal/db/queries/sources";
import { markDocumentDeleted, saveDocumentAcl, upsertDocument } from "@anneal/db/queries/synced-documents";
import { saveDatasetVersion } from "@anneal/db/queries/dataset";
import { saveCleaned, saveComparisons } from "@anneal/db/queries/documents";
import { saveCollection } from "@anneal/db/queries/indexing";
import {
  beginStage,
  claimRunning,
  createRun,
  endRun,
  endStage,
  replaceDrops,
  setStageProgress,
} from "@anneal/db/queries/loop";
import { writeChunks } from "@anneal/db/queries/reader-changes";
import { POST as embed } from "../app/api/v1/embeddings/route.ts";
import type { Identity } from "#server/auth/identity.ts";
import { joinAs } from "#server/auth/join-as.fixture.ts";
import { retrieve } from "#server/chat/retrieve.ts";
import { addWorkspace } from "@anneal/db/testing/source-fixture";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { mayReadWhole } from "#server/dataset/dataset-view.ts";
import { appRouter } from "#server/root.ts";

// What somebody may see follows the permissions as they are now, and not as they were when something was made.

let test: TestDatabase;
let scope: Scope;
let people: Record<"admin" | "scientist" | "operator" | "member", Identity>;
let engine: Server;

beforeAll(async () => {
  test = await startTestDatabase();
  engine = createServer((_, response) => response.end('{"data":[],"usage":{"prompt_tokens":1}}')).listen(
    0,
    "127.0.0.1",
  );
  await new Promise((resolve) => engine.once("listening", resolve));
  vi.stubEnv("ANNEAL_DATABASE_URL", test.appUrl);
  vi.stubEnv("ANNEAL_EMBEDDINGS_URL", `http://127.0.0.1:${(engine.address() as AddressInfo).port}`);
  vi.stubEnv("NEXTAUTH_SECRET", "s".repeat(32));
});

afterAll(async () => {
  vi.unstubAllEnvs();
  engine?.close();
  await test?.stop();
});

beforeEach(async () => {
  scope = await addWorkspace(test.db);
  people = {
    admin: await joinAs("admin", scope),
    scientist: await joinAs("data_scientist", scope),
    operator: await joinAs("operator", scope),
    member: await joinAs("member", scope),
  };
});

const as = (identity: Identity) => appRouter.createCaller({ db: test.db, identity });
const members = (): Acl => ({ allow: [workspaceMembers(scope.workspaceId)], deny: [] });

/** A document that has its source's audience. */
async function addDocument(ref: string, defaultAcl: Acl): Promise<{ sourceId: string; documentId: string }> {
  const sourceId = randomUUID();
  const source = { id: sourceId, name: ref, kind: "file", config: {}, sealedSecrets: null, schedule: null };
  await saveSource(scope, { ...source, defaultAcl });
  const facts = { uri: ref, title: ref, mediaType: null, sizeBytes: 1, modifiedAt: null, fingerprint: ref, acl: null };
  const content = { contentHash: ref, contentKey: ref, sizeBytes: 1 };
  return { sourceId, documentId: (await upsertDocument(scope, sourceId, { ref, ...facts }, content)).documentId };
}

async function addDataset(documentIds: string[], acl: Acl): Promise<string> {
  const digest = randomUUID();
  const pair = { split: "train" as const, origin: "extracted" as const, question: "Q?", answer: "A.", quote: "A." };
  const { version } = await saveDatasetVersion(
    scope,
    {
      id: randomUUID(),
      name: "d",
      digest,
      trainKey: "t",
      evalKey: "e",
      acl,
      settings: {},
      stats: {},
      runId: null,
      trainCount: 1,
      evalCount: 0,
      pairCount: 1,
      droppedCount: 0,
    },
    documentIds.map((documentId, ordinal) => ({ ...pair, ordinal, documentId, charStart: 0, charEnd: 2, drop: null })),
  );
  return version.id;
}

describe("embeddings", () => {
  it("need the base model's permission, without which their model does not exist", async () => {
    const { key, prefix, hash } = generateApiKey();
    await createApiKey(scope, { userId: people.member.userId, name: "test", prefix, hash, expiresAt: null });
    // Asked each time, instead of one that remembers and listens on a connection of its own.
    const resourcesOf = async ({ principalKeys }: Identity) =>
      new Set(await listGrantedResources(scope, [...principalKeys]));
    Object.assign(globalThis, { annealRouting: { resourcesOf } });
    const ask = () =>
      embed(
        new Request("http://localhost/api/v1/embeddings", {
          method: "POST",
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
          body: JSON.stringify({ input: "a pump" }),
        }),
      );
    expect((await ask()).status).toBe(404);
    const everyone = principalKey(workspaceMembers(scope.workspaceId));
    await addModelGrant(scope, { principal: everyone, resource: "base", grantedBy: "ada" });
    expect((await ask()).status).toBe(200);
    Object.assign(globalThis, { annealRouting: undefined });
  });
});

describe("a source that is made private", () => {
  it("takes its documents out of lists, search and datasets at once, and the audit trail says so", async () => {
    const { sourceId, documentId } = await addDocument("page", members());
    const collection = await saveCollection(scope, { embeddingModel: "m", dimensions: 2, settings: {} });
    const pointId = randomUUID();
    const place = {
      pageStart: null,
      pageEnd: null,
      container: null,
      charStart: 0,
      charEnd: 4,
      ordinal: 0,
      section: [],
    };
    const digests = { contentHash: "h", placeFingerprint: "p", aclFingerprint: "a" };
    const row = { id: pointId, collectionId: collection.id, documentId, text: "text", ...place, ...digests };
    await writeChunks(scope, documentId, async () => ({ rows: [row], deletes: [], aclFingerprints: [] }));
    const datasetVersionId = await addDataset([documentId], members());

    // An index that still holds what it was given while everybody could read the document.
    const held = { source_id: sourceId, document_id: documentId };
    const payload = { workspace_id: scope.workspaceId, ...held, ...aclPayload({ acl: members() }) };
    const stale = { id: pointId, score: 1, dense: [1, 0], payload: payload as ChunkPayload };
    const engines = { embeddings: { embed: async () => [[1, 0]] }, vectors: { query: async () => [stale] } };
    Object.assign(globalThis, { annealRetrieval: engines });
    const find = async () => {
      const request = { collectionId: collection.id, question: "q", sourceIds: undefined, limit: 5 };
      const ctx = { scope, identity: people.member };
      return (await retrieve(ctx, { ...request, signal: AbortSignal.timeout(5_000) })).passages.length;
    };
    const listed = async () => (await as(people.member).documents.list({ limit: 10, offset: 0 })).total;
    const whole = () => mayReadWhole({ scope, identity: people.member }, datasetVersionId);
    expect([await find(), await listed(), await whole()]).toEqual([1, 1, true]);

    const source = { sourceId, name: "page", kind: "file", config: { path: "/data" }, schedule: null };
    await as(people.admin).connect.update({ ...source, audience: "nobody" });
    expect([await find(), await listed(), await whole()]).toEqual([0, 0, false]);
    const { rows } = await listAuditEvents(scope, { search: sourceId }, { limit: 5, offset: 0 });
    expect(rows).toMatchObject([{ action: "source.save", details: { audience: "nobody" } }]);
    Object.assign(globalThis, { annealRetrieval: undefined });
  });
});

it("a copy does not name its original to whom that was taken from, whatever earlier releases stored of it", async () => {
  const [original, copy] = [await addDocument("board/layoffs.docx", members()), await addDocument("notes", members())];
  const duplicate = {
    code: "EXACT_DUPLICATE",
    similarity: 1,
    hiddenIn: [original.sourceId],
    reason: 'The text is the same as that of "board/layoffs.docx", which was seen earlier.',
  };
  const facts = { title: "Notes", mediaType: "text/plain", language: "en", textChars: 1, piiCounts: {}, warnings: [] };
  const outcome = { cleanKey: "k", cleanDigest: "d", quality: {} as never, ...facts };
  await saveCleaned(scope, { id: copy.documentId, contentHash: "notes" }, outcome);
  await saveComparisons(scope, [{ documentId: copy.documentId, duplicateOf: original.documentId, duplicate }]);
  const told = async () => {
    const { rows } = await as(people.member).documents.list({ status: "duplicate", limit: 10, offset: 0 });
    const { duplicate: why, ...document } = await as(people.member).documents.get({ documentId: copy.documentId });
    expect(why?.reason).toBe("The text is the same as that of a document that was seen earlier.");
    return { all: JSON.stringify([rows, why, document]), original: document.original };
  };
  expect((await told()).original).toMatchObject({ title: "board/layoffs.docx" });
  const closed = { ref: "board/layoffs.docx", acl: nobody, fingerprint: "2" };
  await saveDocumentAcl(scope, original.sourceId, closed);
  const { all, original: named } = await told();
  expect(named).toBeNull();
  expect(all).not.toContain("layoffs");
  expect(all).not.toContain(original.documentId);
});

describe("a document that speaks to a question", () => {
  it("is found beside those that the index still has and that were deleted, with their source or without", async () => {
    const collection = await saveCollection(scope, { embeddingModel: "m", dimensions: 2, settings: {} });
    const index: { id: string; score: number; dense: number[]; payload: ChunkPayload }[] = [];
    const add = async (sourceId: string, ref: string) => {
      const item = {
        ref,
        uri: ref,
        title: ref,
        mediaType: null,
        sizeBytes: 1,
        modifiedAt: null,
        fingerprint: ref,
        acl: null,
      };
      const content = { contentHash: ref, contentKey: ref, sizeBytes: 1 };
      const { documentId } = await upsertDocument(scope, sourceId, item, content);
      const place = {
        pageStart: null,
        pageEnd: null,
        container: null,
        charStart: 0,
        charEnd: 4,
        ordinal: 0,
        section: [],
      };
      const digests = { contentHash: "h", placeFingerprint: "p", aclFingerprint: "a" };
      const row = { id: randomUUID(), collectionId: collection.id, documentId, text: "text", ...place, ...digests };
      await writeChunks(scope, documentId, async () => ({ rows: [row], deletes: [], aclFingerprints: [] }));
      const ids = { workspace_id: scope.workspaceId, source_id: sourceId, document_id: documentId };
      const payload = { ...ids, ...aclPayload({ acl: members() }) } as ChunkPayload;
      index.push({ id: row.id, score: 1, dense: [1, 0], payload });
    };
    const removed = await addDocument("removed", members());
    const shrunk = await addDocument("shrunk", members());
    for (let number = 0; number < 200; number += 1) await add(removed.sourceId, `r${number}`);
    for (let number = 0; number < 20; number += 1) await add(shrunk.sourceId, `s${number}`);
    await add(shrunk.sourceId, "answer");
    await deleteSource(scope, removed.sourceId);
    for (let number = 0; number < 20; number += 1) await markDocumentDeleted(scope, shrunk.sourceId, `s${number}`);

    const vectors = {
      query: async (_: string, { filter, limit }: RetrievalQuery) =>
        index
          .filter(({ payload }) =>
            filter.must_not.every(({ key, match }) => !("any" in match) || !match.any.includes(String(payload[key]))),
          )
          .slice(0, limit),
    };
    Object.assign(globalThis, { annealRetrieval: { embeddings: { embed: async () => [[1, 0]] }, vectors } });
    const request = { collectionId: collection.id, question: "q", sourceIds: undefined, limit: 4 };
    const ctx = { scope, identity: people.member };
    const { passages } = await retrieve(ctx, { ...request, signal: AbortSignal.timeout(5_000) });
    expect(passages.map(({ chunkId }) => chunkId)).toEqual([index.at(-1)!.id]);
    Object.assign(globalThis, { annealRetrieval: undefined });
  });
});

describe("a dataset as a whole", () => {
  it("is for whom all of its documents admit now, whatever was so when it was made", async () => {
    const open = await addDocument("open", members());
    const closed = await addDocument("closed", nobody);
    const mayRead = async (datasetVersionId: string, identity: Identity) => {
      const view = await as(identity).dataset.get({ datasetVersionId });
      const [listed] = (await as(identity).dataset.list()).filter(({ id }) => id === datasetVersionId);
      expect(listed?.readable).toBe(view.readable);
      return view.readable;
    };
    const mixed = await addDataset([open.documentId, closed.documentId], members());
    const once = await addDataset([open.documentId], nobody);
    expect([await mayRead(mixed, people.member), await mayRead(once, people.member)]).toEqual([false, true]);

    // Its source has it no longer, but its text stands in the dataset: an administrator's, when its ACL lets them.
    await markDocumentDeleted(scope, open.sourceId, "open");
    const asked = [people.member, people.scientist, people.admin].map((identity) => mayRead(once, identity));
    expect(await Promise.all(asked)).toEqual([false, false, true]);
    expect(await mayRead(mixed, people.admin)).toBe(false);
    const pairsOf = async (identity: Identity) =>
      (await as(identity).dataset.pairs({ datasetVersionId: once, limit: 5, offset: 0 })).total;
    expect(await Promise.all([people.member, people.scientist, people.admin].map(pairsOf))).toEqual([0, 0, 1]);
    expect(await as(people.member).chat.suggestions()).toEqual([]);

    // Of a document whose row is gone nobody knows who could read it.
    const gone = await addDataset([randomUUID()], members());
    expect(await mayRead(gone, people.admin)).toBe(false);
  });
});

const summaryOf = (stages: RunSummary["stages"]): RunSummary => ({
  stages,
  dataset: { id: "d", digest: "d", train: 1, eval: 0 },
  run: { id: "r", steps: 1, tokensPerSecond: 1, loss: { first: 1, last: 1, eval: null, window: 1 } },
  adapter: { name: "a", digest: "d", rank: 8 },
  deployment: { servingName: "a@d", swapMs: 1, replicas: 1 },
  index: { collection: "c", documents: 1, chunks: 1 },
});

describe("what a run left out", () => {
  const drop = (ref: string, documentId?: string) => ({ ref, code: "X", reason: `Of ${ref}.`, documentId });
  const refsOf = (stages: { stage: Stage; dropped: { ref: string }[] }[]) =>
    stages.flatMap(({ stage, dropped }) => dropped.map(({ ref }) => `${stage} ${ref}`));

  it("is told to the readers of the documents only; administrators know of all, and read no question of others", async () => {
    const open = await addDocument("open", members());
    const closed = await addDocument("closed", nobody);
    const runId = randomUUID();
    await createRun(scope, { id: runId, workflowId: "w", startedBy: "ada", settings: {} });
    const drops = { clean: ["open.md", "closed.md"], dataset: ["How open?", "How closed?"], train: [] } as const;
    for (const stage of ["clean", "dataset", "train"] as const) {
      await beginStage(scope, runId, stage);
      const [first, second] = drops[stage];
      if (first && second)
        await replaceDrops(scope, runId, stage, [drop(first, open.documentId), drop(second, closed.documentId)]);
      else await replaceDrops(scope, runId, stage, [drop("train:3")]);
    }
    const facts = { durationMs: 1, in: 2, out: 0 };
    const summary = summaryOf((["clean", "dataset", "train"] as const).map((stage) => ({ stage, ...facts })));
    // As earlier versions stored it.
    const stages = summary.stages.map((stage) => ({ ...stage, dropped: [drop("closed.md", closed.documentId)] }));
    await endRun(scope, runId, { status: "done", report: { ...summary, stages } as RunSummary });

    const { report } = await as(people.operator).loop.get({ runId });
    expect(report).toEqual(summary);
    expect(JSON.stringify((await as(people.member).loop.get({ runId })).report)).not.toContain("closed.md");
    const all = ["clean open.md", "dataset How open?", "train train:3"];
    // As the command line reads it.
    expect(refsOf(runReportSchema.parse(await as(people.scientist).loop.report({ runId })).stages)).toEqual(all);
    const page = await as(people.scientist).loop.drops({ runId, limit: 10, offset: 0 });
    expect([page.total, page.rows.map(({ stage, ref }) => `${stage} ${ref}`)]).toEqual([3, all]);
    expect(refsOf((await as(people.admin).loop.report({ runId }))!.stages)).toEqual([
      "clean open.md",
      "clean closed.md",
      ...all.slice(1),
    ]);
    await expect(as(people.member).loop.report({ runId })).rejects.toThrow(TRPCError);
  });

  it("does not stand in the error of a stage either", async () => {
    const runId = randomUUID();
    await createRun(scope, { id: runId, workflowId: "w", startedBy: "ada", settings: {} });
    const details = { dropped: [{ ref: "closed.md" }], count: 1 };
    const error = { code: "SOURCE_EMPTY" as const, message: "Nothing is left.", action: "Add some.", details };
    await endStage(scope, runId, "clean", { status: "failed", error });
    await endRun(scope, runId, { status: "failed", error: { ...error, stage: "clean" } });
    const run = await as(people.member).loop.get({ runId });
    expect(JSON.stringify(run)).not.toContain("closed.md");
    expect(run.error).toMatchObject({ message: "Nothing is left.", details: { count: 1 }, stage: "clean" });
    expect(run.stages.find(({ stage }) => stage === "clean")?.error).toMatchObject({ details: { count: 1 } });
  });
});

describe("how many documents a run went through", () => {
  const counted = { done: 12_345, total: 20_000, ratePerSecond: 5, etaMs: 60_000, unit: "documents", note: "Payroll" };
  const lost = {
    code: "CONFLICT" as const,
    message: "The source no longer has 12345 of 20000 documents.",
    action: "Confirm it.",
    details: { known: 20_000, missing: 12_345 },
  };
  const figures = /12[,.]?345|20[,.]?000|Payroll/;
  const keepers = () => [people.admin, people.scientist, people.operator];

  async function startedRun() {
    const runId = randomUUID();
    await createRun(scope, { id: runId, workflowId: "w", startedBy: "ada", settings: {} });
    return runId;
  }

  it("is told while it runs to those who keep the workspace running, and to members only that it goes on", async () => {
    const runId = await startedRun();
    await claimRunning(scope, runId);
    for (const stage of ["connect", "clean", "dedupe", "dataset", "index"] as const) {
      await beginStage(scope, runId, stage);
      await setStageProgress(scope, runId, stage, counted);
      for (const person of keepers()) {
        const { loop, work } = as(person);
        for (const run of [await loop.get({ runId }), (await loop.overview()).runs[0], (await work.active()).runs[0]])
          expect(run!.stages.find((each) => each.stage === stage)).toMatchObject({ progress: counted });
      }
      const { loop, work } = as(people.member);
      const answers = [await loop.get({ runId }), await loop.overview(), await work.active()];
      expect(answers[0]).toMatchObject({ status: "running" });
      expect(JSON.stringify(answers)).not.toMatch(figures);
    }
    // How far a training is says nothing of a source.
    await beginStage(scope, runId, "train");
    await setStageProgress(scope, runId, "train", { ...counted, unit: "steps", note: null });
    const { stages } = await as(people.member).loop.get({ runId });
    expect(stages.find(({ stage }) => stage === "train")).toMatchObject({ progress: { done: 12_345, unit: "steps" } });
  });

  it("is told afterwards to them too, with what was held back, and to members that it was done", async () => {
    const runId = await startedRun();
    const counts = { inCount: 20_000, outCount: 12_345, note: `3 new or changed, 0 deleted. ${lost.message}` };
    const index = { collection: "c", documents: 12_345, chunks: 20_000 };
    const reported: RunSummary["stages"] = [];
    for (const stage of ["connect", "clean", "dedupe", "dataset", "index"] as const) {
      await beginStage(scope, runId, stage);
      await endStage(scope, runId, stage, { status: "done", ...counts });
      reported.push({ stage, durationMs: 1, in: 20_000, out: 12_345 });
    }
    await endStage(scope, runId, "train", { status: "done", inCount: 7, outCount: 7, note: null });
    reported.push({ stage: "train", durationMs: 1, in: 7, out: 7 });
    await endRun(scope, runId, { status: "done", report: { ...summaryOf(reported), index } });

    for (const person of keepers()) {
      const run = await as(person).loop.get({ runId });
      expect(run.stages[0]).toMatchObject({ stage: "connect", ...counts, droppedCount: 0 });
      expect(run.report).toMatchObject({ stages: reported, index });
    }
    const { loop } = as(people.member);
    const run = await loop.get({ runId });
    expect(JSON.stringify([run, await loop.overview()])).not.toMatch(figures);
    const nothing = { inCount: null, outCount: null, droppedCount: null, progress: null };
    expect(run.stages[0]).toMatchObject({ stage: "connect", status: "done", ...nothing });
    expect(run.stages[0]!.note).toContain("told to those who keep the workspace running");
    expect(run.stages.find(({ stage }) => stage === "train")).toMatchObject({ inCount: 7, outCount: 7, note: null });
    expect(run.report).toMatchObject({ adapter: { name: "a" }, index: { collection: "c", documents: null } });
    expect(run.report?.stages.at(-1)).toMatchObject({ stage: "train", in: 7, out: 7 });
  });

  it("does not stand in the error that it ended with", async () => {
    const runId = await startedRun();
    await endStage(scope, runId, "connect", { status: "failed", error: lost });
    await endRun(scope, runId, { status: "failed", error: { ...lost, stage: "connect" } });
    const answers = async (person: Identity) => [
      await as(person).loop.get({ runId }),
      await as(person).loop.overview(),
    ];
    expect(JSON.stringify(await answers(people.member))).not.toMatch(figures);
    expect(await answers(people.operator)).toMatchObject([
      { error: lost },
      { attention: [{ detail: expect.stringContaining("12345") }] },
    ]);
  });
});

describe("the members of a workspace", () => {
  const rolesOf = async () => new Map((await listMembers(scope)).map(({ email, role }) => [email, role]));
  const conflict = { cause: { code: "CONFLICT" } };

  it("are added once: adding one again changes no role, and nothing says that it did", async () => {
    const { email } = people.admin;
    const again = { email, name: "Again", role: "member" as const };
    await expect(as(people.admin).access.addMember(again)).rejects.toMatchObject(conflict);
    expect((await rolesOf()).get(email)).toBe("admin");
    expect((await listAuditEvents(scope, { search: email }, { limit: 5, offset: 0 })).total).toBe(0);
  });

  it("keep an administrator, also when the last two step back at the same moment", async () => {
    for (let round = 0; round < 5; round += 1) {
      const other = await joinAs("admin", scope);
      const admins = [...(await listMembers(scope))].filter(({ role }) => role === "admin");
      expect(admins).toHaveLength(2);
      const results = await Promise.allSettled(
        admins.map(({ userId }) => as(other).access.setRole({ userId, role: "member" })),
      );
      expect(results.filter(({ status }) => status === "rejected")).toMatchObject([{ reason: conflict }]);
      expect([...(await rolesOf()).values()].filter((role) => role === "admin")).toHaveLength(1);
    }
  });
});
