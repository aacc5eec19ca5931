import type { DirectoryInput } from "@anneal/core/connect/contract";
import { defaultDeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { isDirectoryDue } from "@anneal/core/connect/is-directory-due";
import { defaultLimits, type ConnectLimits } from "@anneal/connectors/connector";
import type { PythonRuntime } from "@anneal/connectors/python-runtime";
import { findConnector } from "@anneal/connectors/registry";
import type { DatabaseHandle } from "@anneal/db/database";
import { listWorkspaces } from "@anneal/db/queries/access";
import { getSource } from "@anneal/db/queries/sources";
import { listDirectorySources } from "@anneal/db/queries/directory";
import { renewCredentials } from "@anneal/db/queries/renewed-credentials";
import type { SecretBox } from "@anneal/db/secret-box";
import { cancellationSignal, heartbeat } from "@temporalio/activity";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ObserveRemote } from "../remote-metrics.ts";
import { applyDirectory } from "./apply-directory.ts";

export type DirectoryActivities = ReturnType<typeof createDirectoryActivities>;

const pulseMs = 10_000;

export function createDirectoryActivities(deps: {
  database: Pick<DatabaseHandle, "db" | "tryLock">;
  secretBox: SecretBox;
  chromiumPath: string | null;
  ownFolders: readonly string[];
  python: PythonRuntime;
  observeRemote: ObserveRemote;
  /** Left out: the default limits. */
  limits?: ConnectLimits;
  /** Over how long the sources of one firing are spread. */
  spreadMs: number;
}) {
  const { database, secretBox, chromiumPath, ownFolders, python, spreadMs, limits = defaultLimits } = deps;
  const { db, tryLock } = database;

  return {
    /** The sources, of whatever workspace, whose permissions name people and groups that are to be read now. */
    async listDirectories(): Promise<{ sources: DirectoryInput[]; apartMs: number }> {
      const now = new Date();
      const due: DirectoryInput[] = [];
      for (const { id: workspaceId } of await listWorkspaces(db)) {
        // One of a kind that this release does not know is nobody's to read.
        for (const { id: sourceId, kind, ...state } of await listDirectorySources({ db, workspaceId }))
          if (findConnector(kind)?.readDirectory && isDirectoryDue(state, now)) due.push({ workspaceId, sourceId });
      }
      return { sources: due, apartMs: Math.round(spreadMs / Math.max(1, due.length)) };
    },

    /**
     * Does nothing where somebody reads them already.
     * @throws AnnealError where they cannot be read, which the source's page says
     */
    async readDirectory({ workspaceId, sourceId }: DirectoryInput): Promise<void> {
      const scope = { db, workspaceId };
      const { kind } = await getSource(scope, sourceId);
      const tempDir = await mkdtemp(join(tmpdir(), "anneal-directory-"));
      const pulse = setInterval(() => heartbeat(), pulseMs);
      try {
        await applyDirectory({
          scope,
          sourceId,
          secretBox,
          tryLock,
          context: {
            signal: cancellationSignal(),
            tempDir,
            limits,
            deletions: defaultDeletionPolicy,
            chromiumPath,
            ownFolders,
            python,
            onRemoteEvent: deps.observeRemote(kind),
            renewSecrets: (renew) => renewCredentials(scope, secretBox, sourceId, renew),
          },
        });
      } finally {
        clearInterval(pulse);
        await rm(tempDir, { recursive: true, force: true });
      }
    },
  };
}
