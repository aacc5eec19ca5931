import { directoryOfSource } from "@anneal/core/access/source-principals";
import { AnnealError, type ErrorReport } from "@anneal/core/errors";
import type { ConnectContext } from "@anneal/connectors/connector";
import { requireConnector } from "@anneal/connectors/registry";
import { RemoteError } from "@anneal/connectors/remote/remote-client";
import type { DatabaseHandle, Scope } from "@anneal/db/database";
import { getSource, type Source } from "@anneal/db/queries/sources";
import { recordDirectoryRead, replaceDirectory } from "@anneal/db/queries/directory";
import type { SecretBox } from "@anneal/db/secret-box";
import { setTimeout as sleep } from "node:timers/promises";

const lockRetryMs = 1_000;

type Applied = {
  scope: Scope;
  sourceId: string;
  secretBox: SecretBox;
  context: ConnectContext;
  tryLock: DatabaseHandle["tryLock"];
  /** Told while somebody else reads them, who is waited for; left out: then nothing is to be done. */
  onWait?: () => Promise<void>;
};

/**
 * The people and groups that the source's permissions name, where they name any: before its documents are read, and on
 * a schedule of its own. What is refused alone is recorded, and its documents are read all the same.
 * @throws AnnealError where they cannot be read: then what was known before stays
 */
export async function applyDirectory(applied: Applied): Promise<void> {
  const { scope, sourceId, context } = applied;
  const { kind } = await getSource(scope, sourceId);
  if (!requireConnector(kind).readDirectory) return;
  const lock = await takeLock(applied);
  if (lock === null) return;
  let revision: number | undefined;
  try {
    // Somebody may have removed or changed it while the lock was waited for.
    const source = await getSource(scope, sourceId);
    ({ revision } = source);
    const begun = performance.now();
    const signal = either(context.signal, lock.lost);
    const { failure } = await read({ ...applied, context: { ...context, signal } }, source);
    const error = failure && { ...failure, details: { ...failure.details, partial: true } };
    await recordDirectoryRead(scope, sourceId, { tookMs: performance.now() - begun, error }, revision);
  } catch (error) {
    const report = reportFor(error, context.signal);
    if (report !== null) await recordDirectoryRead(scope, sourceId, { tookMs: null, error: report }, revision);
    if (!(error instanceof RemoteError && error.isAlone)) throw error;
  } finally {
    await lock.release();
  }
}

async function takeLock({ sourceId, context, tryLock, onWait }: Applied) {
  for (;;) {
    const lock = await tryLock(`directory:${sourceId}`);
    if (lock !== null || onWait === undefined) return lock;
    await onWait();
    await sleep(lockRetryMs, undefined, { signal: context.signal });
  }
}

async function read({ scope, secretBox, context }: Applied, source: Source) {
  const connector = requireConnector(source.kind);
  const secrets = source.sealedSecrets === null ? {} : secretBox.open(source.sealedSecrets, source.id);
  const entries = connector.readDirectory!({
    config: connector.configSchema.parse(source.config),
    secrets: connector.secretSchema.parse(secrets),
    context,
  });
  const owner = connector.directory === "vendor" ? null : source.id;
  return replaceDirectory(scope, source.id, directoryOfSource(entries, owner), source.revision);
}

const either = (...signals: AbortSignal[]) => AbortSignal.any(signals);

/** Null for what is no fault of the directory: it was given up, or the source wants to be left alone for a while. */
function reportFor(error: unknown, signal: AbortSignal): ErrorReport | null {
  if (signal.aborted) return null;
  if (!(error instanceof AnnealError)) return unexpected;
  const report = error.toReport();
  return report.code === "RATE_LIMITED" ? null : report;
}

const unexpected: ErrorReport = {
  code: "ENGINE_UNAVAILABLE",
  message: "Something unexpected went wrong while the people and groups were read.",
  action: "They are read again by themselves; if it happens again, look at the worker's log.",
};
