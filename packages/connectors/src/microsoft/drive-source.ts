import type { Change, Cursor } from "@anneal/core/connect/change";
import type { CapabilityCheck, CheckResult, ConnectContext, ReadRequest } from "../connector.ts";
import { hideSource, hidingOf } from "../hiding.ts";
import type { PathFilter } from "../path-filter.ts";
import { rulesForAll } from "../reader-rules.ts";
import { checkDrives } from "./check-drives.ts";
import type { LinkSharing, MicrosoftSecrets, TenantConfig } from "./config.ts";
import { digest } from "./drive-cursor.ts";
import { createGraph, type Graph } from "./graph-client.ts";
import { readDrives, type DriveListing } from "./read-drives.ts";

/** Counted up when an item is read in another way, so that what an earlier release has read is looked at again. */
const readingVersion = 3;

/** Of no version that is read: everything is listed. */
const noPosition: Cursor = { version: 0 };

/** What a source of drives can do; which drives, and what else there is to check, is its own. */
export async function checkDriveSource<Config extends TenantConfig & LinkSharing>(
  config: Config,
  secrets: MicrosoftSecrets,
  context: ConnectContext,
  listDrives: (graph: Graph, config: Config) => Promise<DriveListing>,
  checkMore: (graph: Graph) => Promise<CapabilityCheck[]> = async () => [],
): Promise<CheckResult> {
  const graph = createGraph(config, secrets, context);
  try {
    const result = await checkDrives(graph, context, config, () => listDrives(graph, config));
    if (result.error !== null) return result;
    return { ...result, checks: [...result.checks, ...(await checkMore(graph))] };
  } finally {
    await graph.close();
  }
}

/** @param place the settings that say which drives are read; with others everything is listed again */
export async function* readDriveSource<Config extends TenantConfig & LinkSharing & PathFilter>(
  request: ReadRequest<Config, MicrosoftSecrets>,
  place: readonly unknown[],
  listDrives: (graph: Graph, config: Config) => Promise<DriveListing>,
): AsyncIterable<Change> {
  const { config, secrets, cursor, known, context } = request;
  const { include, exclude, linkSharing } = config;
  const graph = createGraph(config, secrets, context);
  try {
    const settings = await digestSettings(graph, config, [...place, include, exclude], context);
    let listing: DriveListing;
    try {
      listing = await listDrives(graph, config);
    } catch (error) {
      yield* hideSource(error, known, hidingOf(known, rulesForAll("the file's permissions")), noPosition);
      throw error;
    }
    yield* readDrives({ graph, known, context, cursor, filter: config, linkSharing, settings, listing });
  } finally {
    await graph.close();
  }
}

/**
 * Of all that decides what a drive's feed tells: with another one everything is listed again. What an account sees is its
 * own; the feed of one says nothing of what another may see.
 */
export async function digestSettings(
  graph: Graph,
  { tenantId, graphUrl, linkSharing }: TenantConfig & LinkSharing,
  place: readonly unknown[],
  { limits }: Pick<ConnectContext, "limits">,
): Promise<string> {
  const account = await graph.account();
  const seenBy = account === null ? [] : [account.principal.id];
  const readBy = linkSharing === "everyone" ? [] : ["named on it"];
  return digest(
    JSON.stringify([readingVersion, tenantId, graphUrl, ...place, ...seenBy, ...readBy]),
    limits.documentBytes,
  );
}
