import { principalKey, workspaceMembers } from "@anneal/core/access/acl";
import { mayReadDataset } from "@anneal/core/dataset/dataset-acl";
import { listMembers, listModelGrants } from "@anneal/db/queries/access";
import { listTeachingDocuments } from "@anneal/db/queries/dataset";
import { listCurrentAliases } from "@anneal/db/queries/deploy";
import { listAdapterVersions } from "@anneal/db/queries/register";
import { loadIdentity } from "#server/auth/identity.ts";
import type { MemberContext } from "#server/context.ts";
import { readerOf } from "#server/dataset/dataset-view.ts";
import { isGranted } from "#server/gateway/resolve-model.ts";

/** A version that people who are permitted its adapter cannot use, because of documents that it learned from. */
export type WithheldAdapter = {
  adapterId: string;
  name: string;
  version: number;
  aliases: string[];
  /** How many of its documents the workspace's members at large may not read now. */
  documents: number;
  /** Who has the adapter's permission and not the documents', by e-mail address. */
  people: string[];
};

/**
 * What administrators are warned of: an adapter keeps what it learned when a document is closed or its source removed,
 * so the gateway withholds it. Nobody else is told, since it tells of documents.
 * @param adapterId left out: of all adapters
 */
export async function listWithheldAdapters(
  { scope, identity }: Pick<MemberContext, "scope" | "identity">,
  adapterId?: string,
): Promise<WithheldAdapter[]> {
  if (identity.role !== "admin") return [];
  const [versions, aliases, members, grants] = await Promise.all([
    listAdapterVersions(scope),
    listCurrentAliases(scope),
    listMembers(scope),
    listModelGrants(scope),
  ]);
  const wanted = versions.filter(({ adapter }) => adapterId === undefined || adapter.id === adapterId);
  const teaching = await listTeachingDocuments(scope, [
    ...new Set(wanted.map(({ version }) => version.lineage.datasetVersionId)),
  ]);
  const people = await Promise.all(
    members.map(async ({ userId, email, role }) => {
      const facts = { userId, email, role, workspaceId: scope.workspaceId, via: { kind: "session" as const } };
      const person = await loadIdentity(scope.db, facts);
      const granted = grants.filter(({ principal }) => person.principalKeys.has(principal));
      return { email, reader: readerOf(person), granted: new Set(granted.map(({ resource }) => resource)) };
    }),
  );
  const atLarge = {
    holderKeys: new Set([principalKey(workspaceMembers(scope.workspaceId))]),
    administrator: false,
  };
  return wanted.flatMap(({ adapter, version }) => {
    const documents = teaching.get(version.lineage.datasetVersionId) ?? [];
    const kept = people.filter(
      ({ granted, reader }) => isGranted(granted, `adapter:${adapter.name}`) && !mayReadDataset(documents, reader),
    );
    if (kept.length === 0) return [];
    return [
      {
        adapterId: adapter.id,
        name: adapter.name,
        version: version.version,
        aliases: aliases.filter((entry) => entry.adapterVersionId === version.id).map(({ alias }) => alias),
        documents: documents
          .filter((document) => !mayReadDataset([document], atLarge))
          .reduce((sum, { documents: count }) => sum + count, 0),
        people: kept.map(({ email }) => email),
      },
    ];
  });
}
