import { AnnealError } from "@anneal/core/errors";
import { answerTurn, prepareTurn, questionSchema, type ConverseEvent } from "#server/chat/converse.ts";
import { createContext, type MemberContext } from "#server/context.ts";
import { errorMap } from "#server/error-map.ts";
import { readJson } from "#server/gateway/read-json.ts";
import { routingTable } from "#server/gateway/gateway.ts";
import { refuseUnstorable } from "#server/refuse-unstorable.ts";
import { expectedError, reportError } from "#server/report-error.ts";

type Params = { params: Promise<{ workspace: string }> };

/** A question to an assistant; the answer as server-sent events, see `ConverseEvent`. */
export async function POST(request: Request, { params }: Params): Promise<Response> {
  if (request.headers.get("sec-fetch-site") === "cross-site") return new Response(null, { status: 403 });
  const { workspace } = await params;
  try {
    const { db, identity } = await createContext(request.headers, workspace);
    if (!identity)
      throw new AnnealError("UNAUTHENTICATED", "You are not signed in to this workspace.", {
        action: "Sign in, or send a valid API key of this workspace as `Authorization: Bearer ank_…`.",
      });
    const context: MemberContext = { db, identity, scope: { db, workspaceId: identity.workspaceId } };
    const table = routingTable();
    const question = questionSchema.parse(await readJson(request));
    refuseUnstorable(question);
    const turn = await prepareTurn(table, context, question);
    return new Response(
      eventStream((emit, signal) => answerTurn(table, context, turn, { emit, signal })),
      { headers: { "content-type": "text/event-stream", "cache-control": "no-cache", "x-accel-buffering": "no" } },
    );
  } catch (error) {
    const code = expectedError(error)?.code;
    return Response.json({ report: reportError(error, "chat") }, { status: code ? errorMap[code].http : 500 });
  }
}

/** Work that goes on when nobody listens any more: what it emits then is dropped, and the signal says so. */
function eventStream(work: (emit: (event: ConverseEvent) => void, signal: AbortSignal) => Promise<void>) {
  const encoder = new TextEncoder();
  const gone = new AbortController();
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const emit = (event: ConverseEvent) => {
        if (!gone.signal.aborted) controller.enqueue(encoder.encode(`data: ${JSON.stringify(event)}\n\n`));
      };
      // Not returned: a stream whose start is pending reads nothing, and this one's work outlives its reader.
      void work(emit, gone.signal).then(() => {
        if (!gone.signal.aborted) controller.close();
      });
    },
    cancel: () => gone.abort(),
  });
}
