import { mayRead } from "@anneal/core/access/acl";
import { AnnealError } from "@anneal/core/errors";
import { getDatasetVersion, type DatasetVersion } from "@anneal/db/queries/dataset";
import type { MemberContext } from "#server/context.ts";
import { describeReaders } from "#server/documents/describe-readers.ts";

/** A version's facts: counts and settings are everyone's in the workspace, its texts follow its ACL. */
export function toDatasetView(
  { acl, trainKey: _, evalKey: __, workspaceId: ___, ...version }: DatasetVersion,
  { identity }: MemberContext,
) {
  return { ...version, readers: describeReaders(acl), readable: mayRead(acl, identity.principalKeys) };
}

/** The whole version as a file holds text of every document in it, so it needs every document's permission at once. */
export async function getReadableDataset(
  { scope, identity }: MemberContext,
  datasetVersionId: string,
): Promise<DatasetVersion> {
  const version = await getDatasetVersion(scope, datasetVersionId);
  if (mayRead(version.acl, identity.principalKeys)) return version;
  throw new AnnealError(
    "FORBIDDEN",
    "This dataset holds text of documents that you may not read, so you cannot download it whole.",
    {
      action: "Browse the pairs of the documents that you may read, or ask for access at the source of the others.",
    },
  );
}
