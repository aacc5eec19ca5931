import { directoryOfSource } from "@anneal/core/access/source-principals";
import { AnnealError } from "@anneal/core/errors";
import type { ConnectContext } from "@anneal/connectors/connector";
import { requireConnector } from "@anneal/connectors/registry";
import type { DatabaseHandle, Scope } from "@anneal/db/database";
import type { Source } from "@anneal/db/queries/connect";
import { recordDirectoryRead, replaceDirectory } from "@anneal/db/queries/directory";
import { setTimeout as sleep } from "node:timers/promises";

const lockRetryMs = 1_000;

/**
 * The people and groups that the source's permissions name, where they name any: before its documents are read, and on
 * a schedule of its own. Never two at once, or the older word of a slow reading would come after the newer.
 */
export async function applyDirectory(applied: {
  scope: Scope;
  source: Source;
  secrets: Record<string, string>;
  context: ConnectContext;
  tryLock: DatabaseHandle["tryLock"];
}): Promise<void> {
  const { scope, source, secrets, context } = applied;
  const connector = requireConnector(source.kind);
  if (!connector.readDirectory) return;
  const name = `directory:${source.id}`;
  let lock = await applied.tryLock(name);
  for (; lock === null; lock = await applied.tryLock(name)) await sleep(lockRetryMs, undefined, context);
  try {
    const entries = connector.readDirectory({
      config: connector.configSchema.parse(source.config),
      secrets: connector.secretSchema.parse(secrets),
      context: { ...context, signal: AbortSignal.any([context.signal, lock.lost]) },
    });
    await replaceDirectory(
      scope,
      source.id,
      directoryOfSource(entries, connector.directory === "vendor" ? null : source.id),
    );
    await recordDirectoryRead(scope, source.id, null);
  } catch (error) {
    if (error instanceof AnnealError) await recordDirectoryRead(scope, source.id, error.toReport());
    throw error;
  } finally {
    await lock.release();
  }
}
