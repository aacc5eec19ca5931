import { Readable } from "node:stream";
import { AnnealError } from "@anneal/core/errors";
import { createContext } from "#server/context.ts";
import { getReadable } from "#server/documents/visible-document.ts";
import { errorMap } from "#server/error-map.ts";
import { objects } from "#server/objects.ts";
import { expectedError, reportError } from "#server/report-error.ts";

type Params = { params: Promise<{ workspace: string; documentId: string }> };

/** The bytes as the source had them, only ever to be saved: whatever they are, they do not run here. */
export async function GET(request: Request, { params }: Params): Promise<Response> {
  const { workspace, documentId } = await params;
  try {
    const { db, identity } = await createContext(request.headers, workspace);
    if (!identity)
      throw new AnnealError("UNAUTHENTICATED", "You are not signed in to this workspace.", {
        action: "Sign in, or send an API key.",
      });
    const document = await getReadable({ db, identity, scope: { db, workspaceId: identity.workspaceId } }, documentId);
    if (document.contentKey === "")
      throw new AnnealError("NOT_FOUND", "The original was never fetched.", { action: "Read its source again." });
    const stream = await objects().stream(document.contentKey);
    const name = document.ref.split("/").at(-1) ?? document.id;
    return new Response(Readable.toWeb(Readable.from(stream)) as ReadableStream<Uint8Array>, {
      headers: {
        "content-type": "application/octet-stream",
        "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
        "content-security-policy": "sandbox",
        "cache-control": "private, no-store",
      },
    });
  } catch (error) {
    const code = expectedError(error)?.code;
    return Response.json(
      { error: reportError(error, "documents.original") },
      { status: code ? errorMap[code].http : 500 },
    );
  }
}
