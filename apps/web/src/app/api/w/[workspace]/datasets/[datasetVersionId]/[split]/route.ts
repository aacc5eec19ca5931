import { z } from "zod";
import { recordAudit } from "@anneal/db/queries/audit";
import { getReadableDataset } from "#server/dataset/dataset-view.ts";
import { download } from "#server/download.ts";

type Params = { params: Promise<{ workspace: string; datasetVersionId: string; split: string }> };
const paramsSchema = z.object({ datasetVersionId: z.uuid(), split: z.enum(["train", "eval"]) });

/** One split as messages JSON lines, for those whom every document in it admits. */
export async function GET(request: Request, { params }: Params): Promise<Response> {
  const { workspace, ...given } = await params;
  return download(request, workspace, "dataset.download", async (ctx) => {
    const { datasetVersionId, split } = paramsSchema.parse(given);
    const version = await getReadableDataset(ctx, datasetVersionId);
    await recordAudit(ctx.scope, {
      actor: ctx.identity.email,
      action: "dataset.download",
      subject: `dataset:${version.id}`,
      details: { split },
    });
    return {
      key: split === "train" ? version.trainKey : version.evalKey,
      fileName: `${version.name}-v${version.version}-${split}.jsonl`,
      mediaType: "application/x-ndjson",
    };
  });
}
