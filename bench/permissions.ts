/**
 * Leaks of the search, and what it wrongly hides: `node permissions.ts [--people 100] [--documents 1000] [--seed 1]` prints one
 * JSON object and exits 1 when there is either. Documents with every kind of access list lie in a Qdrant of their own, as
 * the stage index writes them; accounts and groups in a PostgreSQL, as a sync writes them. Each person asks, by both legs
 * of the search, for as many passages as there are, with what `listHeldPrincipals` says that they hold: one question
 * tells of all documents. That is held against an oracle that reads the lists alone. Then lists and memberships change
 * as a sync changes them, and everybody asks again.
 *
 * It is the filter of the index that is asked here: what `retrieve` checks behind it, on the payload and in the database,
 * would only hide a leak.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  anyone,
  principalKey,
  workspaceMembers,
  workspaceUser,
  type Acl,
  type Principal,
} from "@anneal/core/access/acl";
import { principalOfSource } from "@anneal/core/access/source-principals";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { aclPayload, chunkPayload } from "@anneal/core/indexing/payload";
import { identifyChunks } from "@anneal/core/indexing/plan-indexing";
import { stableUuid } from "@anneal/core/indexing/point-id";
import { buildRetrievalQuery } from "@anneal/core/indexing/retrieval-query";
import type { Scope } from "@anneal/db/database";
import { saveWorkspace } from "@anneal/db/queries/access";
import { saveSource } from "@anneal/db/queries/connect";
import { listHeldPrincipals, replaceDirectory } from "@anneal/db/queries/directory";
import { startTestDatabase } from "@anneal/db/testing/start-test-database";
import { createVectorIndex, type IndexPoint } from "@anneal/engines/vector-index";
import { locatePython } from "@anneal/local-stack/python-env";
import { startVectors } from "@anneal/local-stack/start-vectors";
import { choosePort } from "@anneal/processes/choose-port";
import { createRandom } from "@anneal/sizing/placement/random";
import {
  accessKinds,
  changeMemberships,
  makeWorld,
  sees,
  type AccessList,
  type Directory,
  type Named,
  type Person,
} from "./permissions-world.ts";

const { values } = parseArgs({
  options: {
    people: { type: "string", default: "100" },
    documents: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
  },
});
const [peopleCount, documentCount] = [Number(values.people), Number(values.documents)];
const dimensions = 16;
const collection = "permissions";
/** Of another workspace, open to everybody there: in the same collection, so that only the filter keeps them apart. */
const foreignDocuments = 50;

type BenchDocument = { id: string; kind: string; access: AccessList };
type Wrong = { person: string; document: string; kind: string };

const random = createRandom(Number(values.seed));
const startedAt = performance.now();
const world = makeWorld(random, peopleCount);
const test = await startTestDatabase();
const dir = await mkdtemp(join(tmpdir(), "anneal-bench-permissions-"));
const server = await startVectors({
  env: process.env,
  python: locatePython(process.env),
  dir,
  logFile: join(dir, "vectors.log"),
  port: await choosePort(undefined),
  apiKey: "bench",
}).catch(async (error: unknown) => {
  await test.stop();
  throw error;
});
try {
  const vectors = createVectorIndex({ url: server.url, apiKey: "bench" });
  const { id: workspaceId } = await saveWorkspace(test.db, { slug: "bench", name: "Bench" });
  const { id: otherId } = await saveWorkspace(test.db, { slug: "other", name: "Other" });
  const scope: Scope = { db: test.db, workspaceId };
  const sourceIds = world.directories.map((_, index) => stableUuid(["source", index]));
  for (const [index, id] of sourceIds.entries()) {
    await saveSource(scope, {
      id,
      name: `source ${index}`,
      kind: world.directories[index]!.source,
      config: {},
      sealedSecrets: null,
      defaultAcl: { allow: [], deny: [] },
      schedule: null,
    });
  }
  const documents = Array.from({ length: documentCount }, (_, index): BenchDocument => {
    const kind = accessKinds[index % accessKinds.length]!;
    return { id: stableUuid(["document", index]), kind: kind.name, access: kind.make(random, world) };
  });
  const principals = createPrincipals(workspaceId, sourceIds);

  await saveDirectories();
  await vectors.ensureCollection(collection, dimensions);
  const points = documents.flatMap((document, index) =>
    pointsOf(document.id, index, workspaceId, principals.aclOf(document.access)),
  );
  for (let index = 0; index < foreignDocuments; index += 1) {
    const acl = { allow: [anyone, workspaceMembers(otherId), workspaceMembers(workspaceId)], deny: [] };
    points.push(...pointsOf(stableUuid(["foreign", index]), index, otherId, acl));
  }
  await vectors.upsert(collection, points);

  const rounds = [await ask()];
  for (const document of documents) {
    if (!random.chance(0.3)) continue;
    const kind = random.pick(accessKinds);
    Object.assign(document, { kind: kind.name, access: kind.make(random, world) });
    await vectors.setDocumentsPayload(
      collection,
      [document.id],
      aclPayload({ acl: principals.aclOf(document.access) }),
    );
  }
  changeMemberships(random, world);
  await saveDirectories();
  rounds.push(await ask());

  const sum = (of: (round: Awaited<ReturnType<typeof ask>>) => number) =>
    rounds.reduce((all, round) => all + of(round), 0);
  const leaks = rounds.flatMap((round) => round.leaks);
  const hidden = rounds.flatMap((round) => round.hidden);
  console.log(
    JSON.stringify({
      people: peopleCount,
      documents: documentCount,
      passages: points.length,
      accessKinds: accessKinds.length,
      pairs: sum(({ pairs }) => pairs),
      visiblePairs: sum(({ visible }) => visible),
      leaks: leaks.length,
      wronglyHidden: hidden.length,
      ...(leaks.length + hidden.length === 0
        ? {}
        : { examples: { leaks: leaks.slice(0, 5), hidden: hidden.slice(0, 5) } }),
      seconds: Math.round((performance.now() - startedAt) / 1000),
    }),
  );
  if (leaks.length + hidden.length > 0) process.exitCode = 1;

  async function saveDirectories(): Promise<void> {
    for (const directory of world.directories)
      await replaceDirectory(scope, sourceIds[directory.sourceIndex]!, entriesOf(directory));
  }

  async function* entriesOf(directory: Directory): AsyncIterable<DirectoryEntry> {
    for (const account of world.accounts)
      if (account.directory === directory)
        yield { type: "user", principal: principals.of(account), name: account.id, emails: account.emails };
    for (const group of world.groups)
      if (group.directory === directory) {
        const members = group.members.map((member) => principals.of(member));
        yield { type: "group", principal: principals.of(group), name: group.id, members };
      }
  }

  /** Each person asks once. */
  async function ask() {
    const found: { leaks: Wrong[]; hidden: Wrong[]; pairs: number; visible: number } = {
      leaks: [],
      hidden: [],
      pairs: 0,
      visible: 0,
    };
    for (const person of world.people) {
      const given = await documentsGiven(person);
      for (const document of documents) {
        const { id, kind, access } = document;
        found.pairs += 1;
        const wrong = { person: person.email, document: id, kind };
        const expected = sees(person, access);
        if (expected) found.visible += 1;
        if (given.delete(id)) {
          if (!expected) found.leaks.push(wrong);
        } else if (expected) found.hidden.push(wrong);
      }
      for (const document of given) found.leaks.push({ person: person.email, document, kind: "another workspace's" });
    }
    return found;
  }

  /** What the index gives to somebody who holds what this person holds, as `createIdentity` of the portal puts it together. */
  async function documentsGiven({ email, userId }: Person): Promise<Set<string>> {
    const held = await listHeldPrincipals(scope, email);
    const own = [workspaceMembers(workspaceId), workspaceUser(workspaceId, userId), anyone];
    const query = buildRetrievalQuery({
      dense: vectorOf(),
      sparse: { indices: [1], values: [1] },
      workspaceId,
      holderKeys: [...own, ...held].map(principalKey),
      limit: points.length,
      candidates: points.length,
    });
    const hits = await vectors.query(collection, query);
    return new Set(hits.map(({ payload }) => payload.document_id));
  }
} finally {
  await server.stop();
  await test.stop();
  await rm(dir, { recursive: true, force: true });
}

function vectorOf(): number[] {
  return Array.from({ length: dimensions }, () => random.next() - 0.5);
}

/** A document's passages, one to three of them, as the stage index writes them. */
function pointsOf(documentId: string, index: number, workspaceId: string, acl: Acl): IndexPoint[] {
  const place = { documentId, uri: `bench:${documentId}`, title: "Note", acl };
  const chunks = Array.from({ length: 1 + (index % 3) }, (_, ordinal) => ({
    ordinal,
    text: `Passage ${ordinal} of ${documentId}.`,
    charStart: ordinal * 100,
    charEnd: ordinal * 100 + 50,
    context: "Note",
    tableHeader: null,
    section: [],
    places: [],
    container: null,
    tokens: 8,
  }));
  return identifyChunks(chunks, place).map((chunk) => ({
    id: chunk.pointId,
    dense: vectorOf(),
    sparse: { indices: [1, 2 + (index % 97)], values: [1, 1] },
    payload: chunkPayload(chunk, { ...place, workspaceId, sourceId: "bench", language: null, hiddenIn: [] }),
  }));
}

/** The lists' people and groups as the platform names them; a source's own directory counts for that source alone. */
function createPrincipals(workspaceId: string, sourceIds: readonly string[]) {
  const inDirectory = (directory: Directory, kind: Principal["kind"], id: string): Principal => {
    const principal: Principal = { source: directory.source, tenant: directory.tenant, kind, id };
    return directory.isVendors ? principal : principalOfSource(principal, sourceIds[directory.sourceIndex]!);
  };
  const of = (named: Named): Principal => {
    switch (named.type) {
      case "members":
        return workspaceMembers(workspaceId);
      case "anyone":
        return anyone;
      case "person":
        return workspaceUser(workspaceId, named.userId);
      case "account":
        return inDirectory(named.directory, "user", named.id);
      case "group":
        return inDirectory(named.directory, "group", named.id);
      case "stranger":
        return inDirectory(named.directory, named.kind, named.id);
    }
  };
  return { of, aclOf: ({ allow, deny }: AccessList): Acl => ({ allow: allow.map(of), deny: deny.map(of) }) };
}
