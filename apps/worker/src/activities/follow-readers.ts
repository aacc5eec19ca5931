import type { Scope } from "@anneal/db/database";
import { hasReaderChanges } from "@anneal/db/queries/reader-changes";
import { setTimeout as sleep } from "node:timers/promises";
import type { ReaderPushes } from "../drivers/reader-pushes.ts";

const lookEveryMs = 2_000;

/**
 * While a source is read, whoever is admitted is told to the indexes within seconds, and after it whoever is left. A
 * push that cannot be ordered fails nothing: what is to be told stays in the database, and the next sync orders it.
 */
export function followReaderChanges(scope: Scope, pushes: ReaderPushes): { end(): Promise<void> } {
  const ended = new AbortController();
  const order = async (push: ReaderPushes["begin"]) => {
    try {
      if (await hasReaderChanges(scope)) await push(scope.workspaceId);
    } catch {
      // See above.
    }
  };
  const follow = async () => {
    for (;;) {
      await sleep(lookEveryMs, undefined, { signal: ended.signal }).catch(() => undefined);
      if (ended.signal.aborted) return;
      await order(pushes.begin);
    }
  };
  const following = follow();
  return {
    async end() {
      ended.abort();
      await following;
      await order(pushes.ensure);
    },
  };
}
