import { mayDownloadAdapters } from "@anneal/core/access/roles";
import { z } from "zod";
import { AnnealError } from "@anneal/core/errors";
import { recordAudit } from "@anneal/db/queries/audit";
import { getAdapterVersion } from "@anneal/db/queries/register";
import { getReadableDataset } from "#server/dataset/dataset-view.ts";
import { download } from "#server/download.ts";
import { roleNames } from "#server/trpc.ts";

type Params = { params: Promise<{ workspace: string; adapterVersionId: string; file: string }> };
const paramsSchema = z.object({
  adapterVersionId: z.uuid(),
  file: z.enum(["adapter_model.safetensors", "adapter_config.json"]),
});

/** The files of an adapter version. Weights remember what they were taught: whoever takes them may read all of it. */
export async function GET(request: Request, { params }: Params): Promise<Response> {
  const { workspace, ...given } = await params;
  return download(request, workspace, "deploy.download", async (ctx) => {
    const { adapterVersionId, file } = paramsSchema.parse(given);
    const { identity, scope } = ctx;
    if (!mayDownloadAdapters(identity.role))
      throw new AnnealError("FORBIDDEN", `Your role (${roleNames[identity.role]}) may not download adapters.`, {
        action: "Ask an operator or a data scientist of the workspace.",
      });
    const { adapter, version } = await getAdapterVersion(scope, adapterVersionId);
    await getReadableDataset(ctx, version.lineage.datasetVersionId);
    await recordAudit(scope, {
      actor: identity.email,
      action: "adapter.download",
      subject: `${adapter.name} v${version.version}`,
      details: { file },
    });
    return {
      key: `${version.objectPrefix}/${file}`,
      fileName: `${adapter.name}-v${version.version}-${file}`,
      mediaType: "application/octet-stream",
    };
  });
}
