import { nobody } from "@anneal/core/access/acl";
import { datasetAcl, mayReadDataset, type TeachingDocument } from "@anneal/core/dataset/dataset-acl";
import { AnnealError } from "@anneal/core/errors";
import { getDatasetVersion, listTeachingDocuments, type DatasetVersion } from "@anneal/db/queries/dataset";
import type { Identity } from "#server/auth/identity.ts";
import type { MemberContext } from "#server/context.ts";
import { describeReaders } from "#server/documents/describe-readers.ts";

/** Who somebody is to the documents behind a dataset. */
export const readerOf = ({ principalKeys, role }: Pick<Identity, "principalKeys" | "role">) => ({
  holderKeys: principalKeys,
  administrator: role === "admin",
});

/** A version's facts: counts and settings are everyone's in the workspace, its texts follow its documents' ACLs. */
export function toDatasetView(
  { acl: _, trainKey: __, evalKey: ___, workspaceId: ____, ...version }: DatasetVersion,
  documents: readonly TeachingDocument[],
  { identity }: MemberContext,
) {
  const readers = datasetAcl(documents.map(({ acl, deleted }) => (deleted ? nobody : (acl ?? nobody))));
  return {
    ...version,
    readers: describeReaders(readers),
    readable: mayReadDataset(documents, readerOf(identity)),
  };
}

/** The whole version holds text of every document in it, so it needs every document's permission at once, as of now. */
export async function mayReadWhole(
  { scope, identity }: Pick<MemberContext, "scope" | "identity">,
  datasetVersionId: string,
): Promise<boolean> {
  const documents = await listTeachingDocuments(scope, [datasetVersionId]);
  return mayReadDataset(documents.get(datasetVersionId) ?? [], readerOf(identity));
}

/** @throws AnnealError FORBIDDEN for whom one of its documents does not admit */
export async function getReadableDataset(ctx: MemberContext, datasetVersionId: string): Promise<DatasetVersion> {
  const version = await getDatasetVersion(ctx.scope, datasetVersionId);
  if (await mayReadWhole(ctx, datasetVersionId)) return version;
  throw new AnnealError(
    "FORBIDDEN",
    "This dataset holds text of documents that you may not read, so you cannot download it whole.",
    {
      action: "Browse the pairs of the documents that you may read, or ask for access at the source of the others.",
    },
  );
}
