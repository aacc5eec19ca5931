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
  /** Names of tables that changed, never their data: the page asks again for what it shows. */
  changes: memberProcedure.subscription(async function* ({ ctx, signal }) {
    // At once, so that the page knows that the line is open.
    yield [] as string[];
    const ended = AbortSignal.any([shutdownSignal(), ...(signal ? [signal] : [])]);
    yield* batchChanges(changeFeed(), ctx.identity.workspaceId, ended);
  }),
});
