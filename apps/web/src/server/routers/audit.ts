import { createHash } from "node:crypto";
import { z } from "zod";
import { findBrokenLink } from "@anneal/core/audit/chain";
import { exportAuditChain, listAuditEvents } from "@anneal/db/queries/audit";
import { adminProcedure, router } from "#server/trpc.ts";

export const auditRouter = router({
  list: adminProcedure
    .input(
      z.object({
        search: z.string().max(200).optional(),
        limit: z.number().int().min(1).max(1_000),
        offset: z.number().int().min(0),
      }),
    )
    .query(({ ctx: { scope }, input: { search, ...page } }) => listAuditEvents(scope, { search }, page)),

  /** Computes every hash again from the rows as they are now. */
  verify: adminProcedure.mutation(async ({ ctx: { scope } }) => {
    const events = await exportAuditChain(scope);
    const brokenAt = findBrokenLink(events, (text) => createHash("sha256").update(text).digest("hex"));
    return {
      events: events.length,
      head: events.at(-1)?.hash ?? null,
      broken:
        brokenAt === null
          ? null
          : { position: brokenAt + 1, at: events[brokenAt]!.at, action: events[brokenAt]!.action },
    };
  }),
});
