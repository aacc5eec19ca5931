import type { DirectoryInput } from "@anneal/core/connect/contract";
import { defaultDeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { defaultLimits } from "@anneal/connectors/connector";
import type { PythonRuntime } from "@anneal/connectors/python-runtime";
import { requireConnector } from "@anneal/connectors/registry";
import type { DatabaseHandle } from "@anneal/db/database";
import { listWorkspaces } from "@anneal/db/queries/access";
import { getSource, listSources } from "@anneal/db/queries/connect";
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
  python: PythonRuntime;
  observeRemote: ObserveRemote;
  /** Over how long the sources of one firing are spread. */
  spreadMs: number;
}) {
  const { database, secretBox, chromiumPath, python, spreadMs } = deps;
  const { db } = database;

  return {
    /** Every source, of whatever workspace, whose permissions name people and groups. */
    async listDirectories(): Promise<DirectoryInput[]> {
      const found: Omit<DirectoryInput, "afterMs">[] = [];
      for (const { id: workspaceId } of await listWorkspaces(db)) {
        for (const { id, kind } of await listSources({ db, workspaceId }))
          if (requireConnector(kind).readDirectory) found.push({ workspaceId, sourceId: id });
      }
      return found.map((input, index) => ({ ...input, afterMs: Math.round((spreadMs * index) / found.length) }));
    },

    /** @throws AnnealError where it cannot be read: then what was known before stays, and the source's page says so */
    async readDirectory({ workspaceId, sourceId }: Omit<DirectoryInput, "afterMs">): Promise<void> {
      const scope = { db, workspaceId };
      const source = await getSource(scope, sourceId);
      const tempDir = await mkdtemp(join(tmpdir(), "anneal-directory-"));
      const pulse = setInterval(() => heartbeat(), pulseMs);
      try {
        const secrets = source.sealedSecrets === null ? {} : secretBox.open(source.sealedSecrets, source.id);
        await applyDirectory({
          scope,
          source,
          secrets,
          tryLock: database.tryLock,
          context: {
            signal: cancellationSignal(),
            tempDir,
            limits: defaultLimits,
            deletions: defaultDeletionPolicy,
            chromiumPath,
            python,
            onRemoteEvent: deps.observeRemote(source.kind),
            renewSecrets: (renew) => renewCredentials(scope, secretBox, source.id, renew),
          },
        });
      } finally {
        clearInterval(pulse);
        await rm(tempDir, { recursive: true, force: true });
      }
    },
  };
}
