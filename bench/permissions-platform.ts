import { hash } from "node:crypto";
import { anyone, workspaceMembers, workspaceUser, type Acl, type Principal } from "@anneal/core/access/acl";
import type { SourceAcl } from "@anneal/core/access/acl-origins";
import { principalOfSource } from "@anneal/core/access/source-principals";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { chunkPayload, readersFingerprint, type Readers } from "@anneal/core/indexing/payload";
import { identifyChunks } from "@anneal/core/indexing/plan-indexing";
import { planReaderPushes } from "@anneal/core/indexing/plan-reader-pushes";
import { stableUuid } from "@anneal/core/indexing/point-id";
import type { Scope } from "@anneal/db/database";
import { saveSource } from "@anneal/db/queries/sources";
import { saveDocumentAcl } from "@anneal/db/queries/synced-documents";
import { replaceDirectory } from "@anneal/db/queries/directory";
import { saveComparisons } from "@anneal/db/queries/documents";
import { takeReaderChanges, writeChunks } from "@anneal/db/queries/reader-changes";
import { upsertDocuments } from "@anneal/db/queries/upsert-documents";
import type { IndexPoint, VectorIndex } from "@anneal/engines/vector-index";
import type { AccessList, Directory, Named, World } from "./permissions-world.ts";

/** `access` null: its source's default audience. `copyOf`: an earlier document with the same text. */
export type BenchDocument = {
  id: string;
  ref: string;
  sourceIndex: number;
  kind: string;
  access: AccessList | null;
  copyOf: BenchDocument | null;
};

/** What a sync, a deduplication and the stage index write of the world, by the queries that these write with. */
export function createPlatform(
  { scope, vectors, collectionId }: { scope: Scope; vectors: VectorIndex; collectionId: string },
  world: World,
  vectorOf: () => number[],
) {
  const { workspaceId } = scope;
  const sourceIds = world.directories.map((_, index) => stableUuid(["source", index]));
  const { of, aclOf } = createPrincipals(workspaceId, sourceIds);

  async function* entriesOf(directory: Directory): AsyncIterable<DirectoryEntry> {
    for (const account of world.accounts)
      if (account.directory === directory)
        yield { type: "user", principal: of(account), name: account.id, emails: account.emails };
    for (const group of [...world.groups, ...world.domains])
      if (group.directory === directory)
        yield { type: "group", principal: of(group), name: group.id, members: group.members.map(of) };
  }

  const upsertOf = ({ ref, access }: BenchDocument) => {
    const contentHash = hash("sha256", ref);
    const facts = { title: "Note", mediaType: null, sizeBytes: 1, modifiedAt: null, fingerprint: ref };
    const item = { ref, uri: `bench:${ref}`, acl: access === null ? null : aclOf(access), ...facts };
    return { item, content: { contentHash, contentKey: contentHash, sizeBytes: 1 } };
  };

  /** Gives them the ids that the database chose. */
  async function upsert(documents: readonly BenchDocument[]): Promise<void> {
    for (const [sourceIndex, sourceId] of sourceIds.entries()) {
      const own = documents.filter((document) => document.sourceIndex === sourceIndex);
      const stored = await upsertDocuments(scope, sourceId, own.map(upsertOf));
      for (const [index, document] of own.entries()) document.id = stored[index]!.documentId;
    }
  }

  async function index(document: BenchDocument, passages: number): Promise<void> {
    await writeChunks(scope, document.id, async (readers) => {
      const place = { workspaceId, sourceId: sourceIds[document.sourceIndex]!, documentId: document.id };
      const points = pointsOf(place, passages, readers, vectorOf);
      await vectors.upsert(collectionId, points);
      const aclFingerprint = readersFingerprint(readers);
      const rows = points.map(({ id, payload }) => ({
        id,
        collectionId,
        documentId: document.id,
        ordinal: payload.ordinal,
        text: payload.text,
        section: [],
        pageStart: null,
        pageEnd: null,
        container: null,
        charStart: payload.char_start,
        charEnd: payload.char_end,
        contentHash: payload.content_hash,
        placeFingerprint: "",
        aclFingerprint,
      }));
      return { rows, deletes: [], aclFingerprints: [] };
    });
  }

  return {
    sourceIds,
    async saveSources(): Promise<void> {
      for (const [index, id] of sourceIds.entries()) {
        const { source: kind } = world.directories[index]!;
        const { allow, deny } = aclOf(world.defaults[index]!);
        const row = { id, name: `source ${index}`, kind, config: {}, schedule: null };
        await saveSource(scope, { ...row, sealedSecrets: null, defaultAcl: { allow, deny } });
      }
    },
    async saveDirectories(): Promise<void> {
      for (const directory of world.directories)
        await replaceDirectory(scope, sourceIds[directory.sourceIndex]!, entriesOf(directory));
    },
    /** @returns the number of passages */
    async addDocuments(documents: readonly BenchDocument[]): Promise<number> {
      // What a copy is hidden behind was seen before it.
      await upsert(documents.filter(({ copyOf }) => copyOf === null));
      const copies = documents.filter(({ copyOf }) => copyOf !== null);
      await upsert(copies);
      await saveComparisons(
        scope,
        copies.map(({ id, copyOf }) => {
          const hiddenIn = [sourceIds[copyOf!.sourceIndex]!];
          const duplicate = { code: "EXACT_DUPLICATE", similarity: 1, hiddenIn };
          return { documentId: id, duplicateOf: copyOf!.id, duplicate };
        }),
      );
      const passages = (at: number) => 1 + (at % 3);
      for (const [at, document] of documents.entries()) await index(document, passages(at));
      return documents.reduce((sum, _, at) => sum + passages(at), 0);
    },
    async saveAccess(document: BenchDocument): Promise<void> {
      const { access, ref } = document;
      const sourceId = sourceIds[document.sourceIndex]!;
      if (access === null) await upsert([document]);
      else await saveDocumentAcl(scope, sourceId, { ref, acl: aclOf(access), fingerprint: ref });
    },
    /** Tells the index of all whose readers it may not know. */
    async pushReaders(): Promise<void> {
      const push = () =>
        takeReaderChanges(scope, 500, async (changes) => {
          const pushes = planReaderPushes(changes, 100);
          for (const { documentIds, payload } of pushes)
            await vectors.setDocumentsPayload(collectionId, documentIds, payload);
          return pushes;
        });
      while ((await push()).more);
    },
  };
}

/** A document's passages, as the stage index writes them. */
export function pointsOf(
  place: { workspaceId: string; sourceId: string; documentId: string },
  passages: number,
  readers: Readers,
  vectorOf: () => number[],
): IndexPoint[] {
  const { documentId } = place;
  const told = { ...place, ...readers, uri: `bench:${documentId}`, title: "Note", language: null };
  const chunks = Array.from({ length: passages }, (_, ordinal) => ({
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
  return identifyChunks(chunks, told).map((chunk) => ({
    id: chunk.pointId,
    dense: vectorOf(),
    sparse: { indices: [1, 2 + passages], values: [1, 1] },
    payload: chunkPayload(chunk, told),
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
      case "stranger":
        return inDirectory(named.directory, named.kind, named.id);
    }
  };
  const aclOf = ({ allow, deny, closed }: AccessList): Acl & SourceAcl => ({
    allow: allow.map(of),
    deny: deny.map(of),
    ...(closed && { closed: closed.map(({ container, to }) => ({ container, to: to.map(of) })) }),
  });
  return { of, aclOf };
}
