import { tracked } from "@trpc/server";
import { z } from "zod";
import { env } from "#env.ts";
import { batchChanges } from "#server/live/batch-changes.ts";
import { createChangeFeed, type ChangeFeed } from "#server/live/change-feed.ts";
import { shutdownSignal } from "#server/live/shutdown-signal.ts";
import { memberProcedure, router } from "#server/trpc.ts";

const shared = globalThis as typeof globalThis & { annealChangeFeed?: ChangeFeed };

function changeFeed(): ChangeFeed {
  shared.annealChangeFeed ??= createChangeFeed(env().ANNEAL_DATABASE_URL);
  return shared.annealChangeFeed;
}

export const liveRouter = router({
  /**
   * Names of tables that changed since a page was rendered, or since the last message before the line broke; never their
   * data: the page asks again for what it shows. A message's id is up to when it tells of all changes.
   */
  changes: memberProcedure
    .input(z.object({ since: z.number(), lastEventId: z.coerce.number().optional() }))
    .subscription(async function* ({ ctx, input, signal }) {
      const since = input.lastEventId ?? input.since;
      // At once, so that the page knows that the line is open.
      yield tracked(String(since), [] as string[]);
      const ended = AbortSignal.any([shutdownSignal(), ...(signal ? [signal] : [])]);
      for await (const { at, tables } of batchChanges(changeFeed(), ctx.identity.workspaceId, since, ended))
        yield tracked(String(at), tables);
    }),
});
