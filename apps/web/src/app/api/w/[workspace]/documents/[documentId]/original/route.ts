import { AnnealError } from "@anneal/core/errors";
import { recordAudit } from "@anneal/db/queries/audit";
import { originalViewHeaders, originalViewOf } from "#server/documents/original-view.ts";
import { getWithOriginal, isMasked } from "#server/documents/visible-document.ts";
import { download } from "#server/download.ts";

type Params = { params: Promise<{ workspace: string; documentId: string }> };

/** The bytes as the source had them, to be saved, or with `?view` to be shown: whatever they are, they do not run here. */
export async function GET(request: Request, { params }: Params): Promise<Response> {
  const { workspace, documentId } = await params;
  return download(request, workspace, "documents.original", async (ctx) => {
    const document = await getWithOriginal(ctx, documentId);
    if (document.contentKey === "")
      throw new AnnealError("NOT_FOUND", "The original was never fetched.", { action: "Read its source again." });
    const fileName = document.ref.split("/").at(-1) ?? document.id;
    const view = new URL(request.url).searchParams.has("view") ? originalViewOf(document) : null;
    if (isMasked(document))
      await recordAudit(ctx.scope, {
        actor: ctx.identity.email,
        action: view ? "document.original.view" : "document.original.download",
        subject: `document:${document.id}`,
        details: { title: document.title, masked: document.piiCounts },
      });
    return {
      key: document.contentKey,
      fileName,
      mediaType: "application/octet-stream",
      ...(view && { shown: originalViewHeaders(view, document.mediaType) }),
    };
  });
}
