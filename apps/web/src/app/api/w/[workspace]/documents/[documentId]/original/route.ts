import { AnnealError } from "@anneal/core/errors";
import { getReadable } from "#server/documents/visible-document.ts";
import { download } from "#server/download.ts";

type Params = { params: Promise<{ workspace: string; documentId: string }> };

/** The bytes as the source had them, only ever to be saved: whatever they are, they do not run here. */
export async function GET(request: Request, { params }: Params): Promise<Response> {
  const { workspace, documentId } = await params;
  return download(request, workspace, "documents.original", async (ctx) => {
    const document = await getReadable(ctx, documentId);
    if (document.contentKey === "")
      throw new AnnealError("NOT_FOUND", "The original was never fetched.", { action: "Read its source again." });
    const fileName = document.ref.split("/").at(-1) ?? document.id;
    return { key: document.contentKey, fileName, mediaType: "application/octet-stream" };
  });
}
