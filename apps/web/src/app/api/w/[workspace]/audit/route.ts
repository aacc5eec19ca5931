import { AnnealError } from "@anneal/core/errors";
import { exportAuditChain, recordAudit } from "@anneal/db/queries/audit";
import { recordRefusal } from "#server/audit/record-refusals.ts";
import { createContext } from "#server/context.ts";
import { errorMap } from "#server/error-map.ts";
import { expectedError, reportError } from "#server/report-error.ts";

type Params = { params: Promise<{ workspace: string }> };

/** The whole chain as JSON lines, oldest first: enough to verify it without us. That it was taken is an event too. */
export async function GET(request: Request, { params }: Params): Promise<Response> {
  const { workspace } = await params;
  try {
    const { db, identity } = await createContext(request.headers, workspace);
    if (!identity)
      throw new AnnealError("UNAUTHENTICATED", "You are not signed in to this workspace.", {
        action: "Sign in, or send an API key of an administrator.",
      });
    const scope = { db, workspaceId: identity.workspaceId };
    const actor = identity.email;
    if (identity.role !== "admin") {
      const details = { role: identity.role, code: "FORBIDDEN" };
      await recordRefusal(scope, [actor], {
        actor,
        action: "audit.export",
        subject: `workspace:${workspace}`,
        details,
      });
      throw new AnnealError("FORBIDDEN", "Only administrators may take the audit trail.", {
        action: "Ask an administrator of the workspace.",
      });
    }
    await recordAudit(scope, { actor, action: "audit.export", subject: `workspace:${workspace}` });
    const lines = (await exportAuditChain(scope)).map((event) => `${JSON.stringify(event)}\n`);
    const day = new Date().toISOString().slice(0, 10);
    return new Response(lines.join(""), {
      headers: {
        "content-type": "application/x-ndjson",
        "content-disposition": `attachment; filename="anneal-audit-${workspace}-${day}.jsonl"`,
        "cache-control": "private, no-store",
      },
    });
  } catch (error) {
    const code = expectedError(error)?.code;
    return Response.json({ error: reportError(error, "audit.export") }, { status: code ? errorMap[code].http : 500 });
  }
}
