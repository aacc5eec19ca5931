import { AnnealError } from "@anneal/core/errors";
import { originalViewHeaders, originalViewOf } from "#server/documents/original-view.ts";
import { getReadable } from "#server/documents/visible-document.ts";
import { download } from "#server/download.ts";

type Params = { params: Promise<{ workspace: string; documentId: string }> };

/** The bytes as the source had them, to be saved, or with `?view` to be shown: whatever they are, they do not run here. */
export async function GET(request: Request, { params }: Params): Promise<Response> {
  const { workspace, documentId } = await params;
  return download(request, workspace, "documents.original", async (ctx) => {
    const document = await getReadable(ctx, documentId);
    if (document.contentKey === "")
      throw new AnnealError("NOT_FOUND", "The original was never fetched.", { action: "Read its source again." });
    const fileName = document.ref.split("/").at(-1) ?? document.id;
    const view = new URL(request.url).searchParams.has("view") ? originalViewOf(document) : null;
    return {
      key: document.contentKey,
      fileName,
      mediaType: "application/octet-stream",
      ...(view && { shown: originalViewHeaders(view, document.mediaType) }),
    };
  });
}
