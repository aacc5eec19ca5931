import { Readable } from "node:stream";
import { AnnealError } from "@anneal/core/errors";
import type { Scope } from "@anneal/db/database";
import { recordOutcomes } from "#server/audit/record-refusals.ts";
import { createContext, type MemberContext } from "#server/context.ts";
import { errorMap } from "#server/error-map.ts";
import { objects } from "#server/objects.ts";
import { expectedError, reportError } from "#server/report-error.ts";

type Download = {
  key: string;
  fileName: string;
  mediaType: string;
  /** Headers of an answer that a browser may show; without them it is only ever saved. */
  shown?: Record<string, string>;
};

/**
 * Streams one object to whoever `authorise` lets have it.
 * @param authorise loads what is asked for, checks who asks, records it; throws an AnnealError otherwise.
 */
export async function download(
  request: Request,
  workspace: string,
  where: string,
  authorise: (ctx: MemberContext) => Promise<Download>,
): Promise<Response> {
  let scope: Scope | undefined;
  try {
    const { db, identity } = await createContext(request.headers, workspace);
    if (!identity)
      throw new AnnealError("UNAUTHENTICATED", "You are not signed in to this workspace.", {
        action: "Sign in, or send an API key.",
      });
    scope = { db, workspaceId: identity.workspaceId, recorded: [] };
    const { key, fileName, mediaType, shown } = await authorise({ db, identity, scope });
    const stream = await objects().stream(key);
    return new Response(Readable.toWeb(Readable.from(stream)) as ReadableStream<Uint8Array>, {
      headers: {
        "content-type": mediaType,
        "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(fileName)}`,
        "content-security-policy": "sandbox",
        "cache-control": "private, no-store",
        ...shown,
      },
    });
  } catch (error) {
    if (scope) await recordOutcomes(scope, error);
    const code = expectedError(error)?.code;
    return Response.json({ error: reportError(error, where) }, { status: code ? errorMap[code].http : 500 });
  }
}
