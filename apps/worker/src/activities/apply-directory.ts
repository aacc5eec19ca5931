import { directoryOfSource } from "@anneal/core/access/source-principals";
import type { ConnectContext } from "@anneal/connectors/connector";
import { requireConnector } from "@anneal/connectors/registry";
import type { Scope } from "@anneal/db/database";
import type { Source } from "@anneal/db/queries/connect";
import { replaceDirectory, type DirectoryCounts } from "@anneal/db/queries/directory";

/** The people and groups that the source's permissions name; null where they name none. */
export async function applyDirectory(applied: {
  scope: Scope;
  source: Source;
  secrets: Record<string, string>;
  context: ConnectContext;
}): Promise<DirectoryCounts | null> {
  const { scope, source, secrets, context } = applied;
  const connector = requireConnector(source.kind);
  if (!connector.readDirectory) return null;
  const entries = connector.readDirectory({
    config: connector.configSchema.parse(source.config),
    secrets: connector.secretSchema.parse(secrets),
    context,
  });
  return replaceDirectory(
    scope,
    source.id,
    directoryOfSource(entries, connector.directory === "vendor" ? null : source.id),
  );
}
