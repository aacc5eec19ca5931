/**
 * Leaks of the search, and what it wrongly hides: `node permissions.ts [--people 100] [--documents 1000] [--seed 1]` prints one
 * JSON object and exits 1 when there is either. Documents with every kind of access list lie in a PostgreSQL, as a sync and a
 * deduplication write them, and in a Qdrant of their own, as the stage index writes them; a tenth are copies, which the
 * index hides behind what they are copies of. Each person asks, by both legs of the search, for as many passages as
 * there are, with what `listHeldPrincipals` says that they hold: one question tells of all documents, and another of
 * one source. That is held against an oracle that reads the lists alone. Then lists, memberships and the sources' default
 * audiences change as a sync and an administrator change them, the index is told, and everybody asks again.
 *
 * It is the filter of the index that is asked here: what `retrieve` checks behind it, on the payload and in the database,
 * would only hide a leak.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { anyone, principalKey, workspaceMembers, workspaceUser } from "@anneal/core/access/acl";
import { stableUuid } from "@anneal/core/indexing/point-id";
import { buildRetrievalQuery } from "@anneal/core/indexing/retrieval-query";
import type { Scope } from "@anneal/db/database";
import { saveWorkspace } from "@anneal/db/queries/access";
import { listHeldPrincipals } from "@anneal/db/queries/directory";
import { saveCollection } from "@anneal/db/queries/indexing";
import { startTestDatabase } from "@anneal/db/testing/start-test-database";
import { createVectorIndex } from "@anneal/engines/vector-index";
import { locatePython } from "@anneal/local-stack/python-env";
import { startVectors } from "@anneal/local-stack/start-vectors";
import { choosePort } from "@anneal/processes/choose-port";
import { createRandom } from "@anneal/sizing/placement/random";
import { createPlatform, pointsOf, type BenchDocument } from "./permissions-platform.ts";
import { accessKinds, changeDefaults, changeMemberships, makeWorld, sees, type Person } from "./permissions-world.ts";

const { values } = parseArgs({
  options: {
    people: { type: "string", default: "100" },
    documents: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
  },
});
const [peopleCount, documentCount] = [Number(values.people), Number(values.documents)];
const dimensions = 16;
/** Of another workspace, open to everybody there: in the same collection, so that only the filter keeps them apart. */
const foreignDocuments = 50;

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
  const { id: collectionId } = await saveCollection(scope, { embeddingModel: "none", dimensions, settings: {} });
  const platform = createPlatform({ scope, vectors, collectionId }, world, vectorOf);
  const documents: BenchDocument[] = [];
  for (let index = 0; index < documentCount; index += 1) {
    const sourceIndex = random.below(world.directories.length);
    const place = { id: "", ref: `document ${index}`, sourceIndex };
    const original = index % 10 === 9 ? random.pick(documents.filter(({ copyOf }) => copyOf === null)) : null;
    const kind = accessKinds[index % accessKinds.length]!;
    documents.push(
      original === null
        ? { ...place, kind: kind.name, access: kind.make(random, world), copyOf: null }
        : { ...place, kind: original.kind, access: original.access, copyOf: original },
    );
  }

  await platform.saveSources();
  await platform.saveDirectories();
  await vectors.ensureCollection(collectionId, dimensions);
  const foreign = Array.from({ length: foreignDocuments }, (_, index) => {
    const place = { workspaceId: otherId, sourceId: "foreign", documentId: stableUuid(["foreign", index]) };
    const acl = { allow: [anyone, workspaceMembers(otherId), workspaceMembers(workspaceId)], deny: [] };
    return pointsOf(place, 1, { acl, hiddenIn: [] }, vectorOf);
  }).flat();
  await vectors.upsert(collectionId, foreign);
  const passages = (await platform.addDocuments(documents)) + foreign.length;

  const rounds = [await ask()];
  for (const document of documents) {
    if (!random.chance(0.3)) continue;
    const kind = random.pick(accessKinds);
    Object.assign(document, { kind: kind.name, access: kind.make(random, world) });
    await platform.saveAccess(document);
  }
  changeMemberships(random, world);
  await platform.saveDirectories();
  changeDefaults(random, world);
  await platform.saveSources();
  await platform.pushReaders();
  rounds.push(await ask());

  const sum = (of: (round: Awaited<ReturnType<typeof ask>>) => number) =>
    rounds.reduce((all, round) => all + of(round), 0);
  const leaks = rounds.flatMap((round) => round.leaks);
  const hidden = rounds.flatMap((round) => round.hidden);
  console.log(
    JSON.stringify({
      people: peopleCount,
      documents: documentCount,
      copies: documents.filter(({ copyOf }) => copyOf !== null).length,
      passages,
      accessKinds: accessKinds.length,
      pairs: sum(({ pairs }) => pairs),
      visiblePairs: sum(({ visible }) => visible),
      hiddenBehindOriginal: sum(({ behind }) => behind),
      leaks: leaks.length,
      wronglyHidden: hidden.length,
      ...(leaks.length + hidden.length === 0
        ? {}
        : { examples: { leaks: leaks.slice(0, 5), hidden: hidden.slice(0, 5) } }),
      seconds: Math.round((performance.now() - startedAt) / 1000),
    }),
  );
  if (leaks.length + hidden.length > 0) process.exitCode = 1;

  /** Each person asks twice: for what all sources have, and for what one has. */
  async function ask() {
    const found = { leaks: [] as Wrong[], hidden: [] as Wrong[], pairs: 0, visible: 0, behind: 0 };
    for (const [index, person] of world.people.entries()) {
      judge(person, documents, await documentsGiven(person));
      const one = index % platform.sourceIds.length;
      const asked = documents.filter(({ sourceIndex }) => sourceIndex === one);
      judge(person, asked, await documentsGiven(person, [platform.sourceIds[one]!]));
    }
    return found;

    function judge(person: Person, asked: BenchDocument[], given: Set<string>): void {
      for (const { id, kind, access, sourceIndex, copyOf } of asked) {
        found.pairs += 1;
        const wrong = { person: person.email, document: id, kind };
        const expected = sees(person, access ?? world.defaults[sourceIndex]!);
        if (expected) found.visible += 1;
        if (given.has(id)) {
          if (!expected) found.leaks.push(wrong);
        } else if (expected) {
          if (copyOf !== null && given.has(copyOf.id)) found.behind += 1;
          else found.hidden.push(wrong);
        }
      }
      const known = new Set(asked.map(({ id }) => id));
      for (const document of given)
        if (!known.has(document))
          found.leaks.push({ person: person.email, document, kind: "another workspace's, or another source's" });
    }
  }

  /** What the index gives to somebody who holds what this person holds, as `createIdentity` of the portal puts it together. */
  async function documentsGiven({ email, userId }: Person, sourceIds?: string[]): Promise<Set<string>> {
    const held = await listHeldPrincipals(scope, email);
    const own = [workspaceMembers(workspaceId), workspaceUser(workspaceId, userId), anyone];
    const query = buildRetrievalQuery({
      dense: vectorOf(),
      sparse: { indices: [1], values: [1] },
      workspaceId,
      holderKeys: [...own, ...held].map(principalKey),
      ...(sourceIds === undefined ? {} : { sourceIds }),
      limit: passages,
      candidates: passages,
    });
    const hits = await vectors.query(collectionId, query);
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
