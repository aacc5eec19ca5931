import { initTRPC, TRPCError } from "@trpc/server";
import superjson from "superjson";
import { administrators, editors, roles, runners, type Role } from "@anneal/core/access/roles";
import { AnnealError } from "@anneal/core/errors";
import type { Scope } from "@anneal/db/database";
import { recordOutcomes, recordRefusal } from "#server/audit/record-refusals.ts";
import type { Context, MemberContext } from "#server/context.ts";
import { errorMap } from "#server/error-map.ts";
import { refuseUnstorable } from "#server/refuse-unstorable.ts";
import { expectedError, reportError } from "#server/report-error.ts";

const t = initTRPC.context<Context>().create({
  transformer: superjson,
  // The message is for people and comes from our report; tRPC's own and the stack stay on the server.
  errorFormatter: ({ shape, error, path }) => {
    const report = reportError(error, path ?? "trpc");
    const { stack: _, ...data } = shape.data;
    return { ...shape, message: report.message, data: { ...data, report } };
  },
  sse: {
    ping: { enabled: true, intervalMs: 5_000 },
    client: { reconnectAfterInactivityMs: 15_000 },
    maxDurationMs: 30 * 60_000,
  },
});

export const router = t.router;

/** Gives expected failures their status; tRPC would call everything it does not know an internal error. */
const mapErrors = t.middleware(async ({ next }) => {
  const result = await next();
  if (result.ok) return result;
  const expected = expectedError(result.error);
  if (!expected) return result;
  throw new TRPCError({ code: errorMap[expected.code].trpc, message: expected.message, cause: expected });
});

/** Before any procedure's own schema: what the database cannot store is the caller's mistake. */
const checkText = t.middleware(async ({ next, getRawInput }) => {
  refuseUnstorable(await getRawInput());
  return next();
});

/** Every procedure names who may call it: there is no public one, and a role that is not listed may not. */
function procedureFor(allowed: readonly Role[]) {
  const authorised = t.procedure.use(mapErrors).use(async ({ ctx, next, path, type }) => {
    const { db, identity } = ctx;
    if (!identity)
      throw new AnnealError("UNAUTHENTICATED", "You are not signed in to this workspace.", {
        action: "Sign in, or send a valid API key of this workspace as `Authorization: Bearer ank_…`.",
      });
    const scope: Scope = { db, workspaceId: identity.workspaceId, recorded: [] };
    if (!allowed.includes(identity.role)) {
      if (type === "mutation")
        await recordRefusal(scope, [identity.email], {
          actor: identity.email,
          action: "call.refused",
          subject: `procedure:${path}`,
          details: { role: identity.role, code: "FORBIDDEN" },
        });
      throw new AnnealError("FORBIDDEN", `Your role (${roleNames[identity.role]}) may not do this.`, {
        action: `Ask an administrator of the workspace; it needs one of: ${allowed.map((role) => roleNames[role]).join(", ")}.`,
        details: { procedure: path, role: identity.role },
      });
    }
    const member: MemberContext = { db, identity, scope };
    const result = await next({ ctx: member });
    // What is recorded before it is done stands in the trail as done, until this says otherwise.
    if (!result.ok) await recordOutcomes(scope, result.error);
    return result;
  });
  return authorised.use(checkText);
}

export const roleNames = {
  admin: "administrator",
  data_scientist: "data scientist",
  operator: "operator",
  member: "member",
  service: "service",
} as const satisfies Record<Role, string>;

/** Anyone in the workspace: reads what their permissions show them, and chats. */
export const memberProcedure = procedureFor(roles);
export const scientistProcedure = procedureFor(editors);
export const operatorProcedure = procedureFor(runners);
export const adminProcedure = procedureFor(administrators);
